// A broker that says what a test wants it to, for what a real one never would.

import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { generate, type Packet, parser } from "mqtt-packet";

/** Answers each packet of a client. */
export type Script = (packet: Packet, answer: (packet: Packet | Buffer) => void) => void;

export interface ScriptedBroker {
  readonly url: string;
  /** Everything clients have sent. */
  readonly packets: readonly Packet[];
  close(): Promise<void>;
}

export async function startScriptedBroker(script: Script): Promise<ScriptedBroker> {
  const packets: Packet[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    const incoming = parser({ protocolVersion: 4 });
    incoming.on("packet", (packet: Packet) => {
      packets.push(packet);
      script(packet, (answer) => void socket.write(Buffer.isBuffer(answer) ? answer : generate(answer)));
    });
    socket.on("data", (bytes) => incoming.parse(bytes));
    socket.on("error", () => undefined);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `mqtt://127.0.0.1:${(server.address() as AddressInfo).port}`,
    packets,
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

/** What every broker answers: CONNACK, SUBACK and, unless told otherwise, PUBACK. */
export const politeScript: Script = (packet, answer) => {
  if (packet.cmd === "connect") answer({ cmd: "connack", returnCode: 0, sessionPresent: false });
  if (packet.cmd === "subscribe") {
    answer({ cmd: "suback", messageId: packet.messageId!, granted: packet.subscriptions.map(() => 1) });
  }
  if (packet.cmd === "publish") answer({ cmd: "puback", messageId: packet.messageId! });
  if (packet.cmd === "pingreq") answer({ cmd: "pingresp" });
};
