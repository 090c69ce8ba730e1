// Where a broker listens and how to be let in, checked before the first attempt to connect.

import { X509Certificate } from "node:crypto";
import { HeadwaterError, messageOf } from "../error.js";

/** A broker, as a user names it. */
export interface MqttEndpoint {
  /** mqtt, mqtts, ws or wss. */
  readonly url: string;
  readonly username?: string;
  readonly password?: string;
  /** Certificates to trust instead of the system's, PEM. */
  readonly ca?: string;
}

/** Each with its usual port. */
const protocols = {
  mqtt: { port: 1883, isWebSocket: false },
  mqtts: { port: 8883, isWebSocket: false },
  ws: { port: 80, isWebSocket: true },
  wss: { port: 443, isWebSocket: true },
} as const;

/** What it takes to open a socket. */
export interface BrokerAddress {
  readonly protocol: keyof typeof protocols;
  readonly host: string;
  readonly port: number;
  /** Of a WebSocket. */
  readonly path: string;
}

/** The address in an endpoint; throws `config-invalid` for what can never be connected to. */
export function parseEndpoint({ url, ca }: MqttEndpoint): BrokerAddress {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  const protocol = parsed?.protocol.slice(0, -1);
  if (parsed === undefined || protocol === undefined || !isProtocol(protocol) || parsed.hostname === "") {
    const wanted = Object.keys(protocols).map((known) => `${known}://`);
    throw invalid(`broker ${JSON.stringify(url)} is no URL of the form ${wanted.join(", ")}HOST:PORT`);
  }
  if (parsed.username !== "" || parsed.password !== "") {
    throw invalid(`broker ${parsed.host}: the user name and password do not belong into the URL`);
  }
  checkCertificates(ca);
  const { port, isWebSocket } = protocols[protocol];
  // A URL has IPv6 addresses in brackets, a socket has not.
  const host = isWebSocket ? parsed.hostname : parsed.hostname.replace(/^\[|\]$/g, "");
  const path = parsed.pathname === "" ? "/" : parsed.pathname;
  return { protocol, host, port: Number(parsed.port) || port, path };
}

function isProtocol(text: string): text is keyof typeof protocols {
  return Object.hasOwn(protocols, text);
}

function checkCertificates(ca: string | undefined): void {
  if (ca === undefined) return;
  try {
    // What comes first is looked at: a file that is none has no first certificate either.
    new X509Certificate(ca);
  } catch (error) {
    throw invalid(`the certificates to trust are no PEM: ${messageOf(error)}`);
  }
}

function invalid(message: string): HeadwaterError {
  return new HeadwaterError("config-invalid", message);
}
