// Where clients come in: TCP, and WebSocket with the subprotocol "mqtt" (MQTT 3.1.1, section 6).

import { createServer as createHttpServer, type IncomingMessage } from "node:http";
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { createWebSocketStream, WebSocketServer } from "ws";
import { unreachable } from "../../shared/assert.js";
import { HeadwaterError, messageOf } from "../../shared/error.js";

/** An address to listen on; port 0 takes a free one. Another kind of socket is another `kind`. */
export interface Listen {
  readonly kind: "tcp" | "ws";
  readonly host: string;
  readonly port: number;
}

/** What a listener does with those who come in. */
export interface Reception {
  /** A socket was accepted; false when it has been turned away. */
  enter(socket: Socket): boolean;
  /** MQTT can begin. `isFramed`: each write is a message of its own. */
  serve(socket: Socket, stream: Duplex, options: { readonly isFramed: boolean }): void;
  /** Listening itself has trouble, such as too many open files. */
  fault(error: Error): void;
  /** Longest time a client may take over its HTTP request. */
  readonly requestTimeoutMs: number;
  /** Most bytes of one WebSocket message. */
  readonly messageBytes: number;
}

/** An open listener. */
export interface Listener {
  readonly url: string;
  /** Accepts nobody any more; resolves when those inside have left. */
  close(): Promise<void>;
}

/** Starts to listen. Rejects with `address-unusable`, naming the address. */
export async function listen(address: Listen, reception: Reception): Promise<Listener> {
  const { kind, host, port } = address;
  const { server, scheme } = createServer(kind, reception);
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error) => reject(unusable(address, error)));
    // Throws at once for a port that is none.
    try {
      server.listen({ host, port }, resolve);
    } catch (error) {
      reject(unusable(address, error));
    }
  });
  server.on("error", (error) => reception.fault(error));
  const bound = server.address() as AddressInfo;
  const name = host.includes(":") ? `[${host}]` : host;
  return {
    url: `${scheme}://${name}:${bound.port}`,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

function unusable({ kind, host, port }: Listen, error: unknown): HeadwaterError {
  return new HeadwaterError(
    "address-unusable",
    `cannot listen on ${kind} ${host}:${port}: ${messageOf(error)}`,
    {
      cause: error,
    },
  );
}

function createServer(kind: Listen["kind"], reception: Reception): { server: Server; scheme: string } {
  switch (kind) {
    case "tcp":
      return { server: createMqttServer(reception), scheme: "mqtt" };
    case "ws":
      return { server: createWsServer(reception), scheme: "ws" };
    default:
      return unreachable(kind);
  }
}

function createMqttServer(reception: Reception): Server {
  return createTcpServer({ noDelay: true }, (socket) => {
    if (reception.enter(socket)) reception.serve(socket, socket, { isFramed: false });
  });
}

function createWsServer(reception: Reception): Server {
  const { requestTimeoutMs, messageBytes } = reception;
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: messageBytes,
    // A few bytes of deflate can unfold to any length.
    perMessageDeflate: false,
    handleProtocols: () => SUBPROTOCOL,
  });
  const http = createHttpServer(
    { noDelay: true, requestTimeout: requestTimeoutMs, headersTimeout: requestTimeoutMs },
    (_, response) => response.writeHead(426, { connection: "close", upgrade: "websocket" }).end(),
  );
  http.on("connection", (socket: Socket) => reception.enter(socket));
  http.on("upgrade", (request: IncomingMessage, duplex: Duplex, head: Buffer) => {
    // Node hands over the very socket that it accepted.
    const socket = duplex as Socket;
    if (!speaksMqtt(request)) return refuseUpgrade(socket);
    sockets.handleUpgrade(request, socket, head, (ws) => {
      reception.serve(socket, createWebSocketStream(ws), { isFramed: true });
    });
  });
  return http;
}

const SUBPROTOCOL = "mqtt";

/** 6.0.0-3: the client must offer the subprotocol. */
function speaksMqtt({ headers }: IncomingMessage): boolean {
  const offered = headers["sec-websocket-protocol"] ?? "";
  return offered.split(",").some((name) => name.trim() === SUBPROTOCOL);
}

function refuseUpgrade(socket: Socket): void {
  socket.end("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\nWebSocket subprotocol mqtt expected\r\n");
}
