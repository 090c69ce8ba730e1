// Every socket from accept to close: how many there may be, how long one may take to say who it is, and how many
// bytes all of them carried.

import type { Socket } from "node:net";
import type { Cancel, Clock } from "../../shared/clock.js";
import type { Incidents } from "./incidents.js";

export interface DoorOptions {
  readonly clock: Clock;
  readonly incidents: Incidents;
  readonly connections: number;
  readonly connectTimeoutMs: number;
}

/** Counts sockets in and out. */
export class Door {
  readonly #options: DoorOptions;
  readonly #sockets = new Map<Socket, Cancel>();
  /** Bytes of sockets that have closed. */
  #up = 0;
  #down = 0;

  constructor(options: DoorOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#sockets.size;
  }

  /** Bytes received and sent on all sockets so far. */
  get traffic(): { readonly up: number; readonly down: number } {
    let [up, down] = [this.#up, this.#down];
    for (const socket of this.#sockets.keys()) {
      up += socket.bytesRead;
      down += socket.bytesWritten;
    }
    return { up, down };
  }

  /** False, and the socket is gone, when there are too many. Otherwise its time runs until `pass`. */
  enter(socket: Socket): boolean {
    const { clock, incidents, connections, connectTimeoutMs } = this.#options;
    // Whoever resets a connection before anyone listens to it must not end the process.
    socket.on("error", () => undefined);
    if (this.#sockets.size >= connections) {
      incidents.note(undefined, "too-many-connections", { limit: connections, from: socket.remoteAddress });
      socket.destroy();
      return false;
    }
    const cancel = clock.after(connectTimeoutMs, () => {
      incidents.note(undefined, "connect-timeout", { limitMs: connectTimeoutMs, from: socket.remoteAddress });
      socket.destroy();
    });
    this.#sockets.set(socket, cancel);
    socket.once("close", () => this.#leave(socket));
    return true;
  }

  /** The socket's owner has authenticated: no more hurry. */
  pass(socket: Socket): void {
    this.#sockets.get(socket)?.();
  }

  /** Ends every connection. */
  clear(): void {
    for (const socket of [...this.#sockets.keys()]) socket.destroy();
  }

  #leave(socket: Socket): void {
    this.pass(socket);
    this.#sockets.delete(socket);
    this.#up += socket.bytesRead;
    this.#down += socket.bytesWritten;
  }
}
