// What Mosquitto needs to enforce the rules that our own broker enforces (docs/protocol.md, section 2), as text.

import { pbkdf2Sync, randomBytes } from "node:crypto";
import type { DeviceId, TaskId } from "../../shared/id.js";
import { deviceSubscriptions, topics, upKinds, uplinkSubscriptions } from "../../shared/wire/topic.js";
import { defaultBrokerLimits } from "../broker/limits.js";

// Mosquitto puts the user name of whoever asks in its place; it refuses names with wildcards in them.
const USER = "%u" as DeviceId;
const ANYONE = "+" as DeviceId;

/** The ACL file: devices reach what is theirs, `serverUser` what is the server's, and nobody anything else. */
export function mosquittoAcl(task: TaskId, serverUser: string): string {
  const device = [
    ...upKinds.map((kind) => `pattern write ${topics.up(task, USER, kind)}`),
    `pattern write ${topics.presence(task, USER)}`,
    ...deviceSubscriptions(task, USER).map((filter) => `pattern read ${filter}`),
  ];
  const downFilter = topics.down(task, ANYONE, "offer").replace(/offer$/, "+");
  const server = [
    `user ${serverUser}`,
    ...uplinkSubscriptions(task).map((filter) => `topic read ${filter}`),
    ...[downFilter, topics.task(task), topics.release(task)].map((filter) => `topic write ${filter}`),
  ];
  return [
    "# Written by headwater; changes are overwritten.",
    "# Mosquitto lets anybody subscribe to anything and filters what it delivers by these rules.",
    "",
    "# Every device: %u is its user name, which is its id and its client id.",
    ...device,
    "",
    "# The server.",
    ...server,
    "",
  ].join("\n");
}

/** One line of a password file. */
export function mosquittoPasswordLine(user: string, hash: string): string {
  return `${user}:${hash}`;
}

// As mosquitto_passwd does. Few, because these passwords are not guessable whatever the number is.
const ITERATIONS = 101;
const SALT_BYTES = 12;
const HASH_BYTES = 64;

/** `$7$` with PBKDF2-HMAC-SHA512: "$7$iterations$salt$hash", base64. */
export function hashForMosquitto(password: string, salt: Uint8Array = randomBytes(SALT_BYTES)): string {
  const hash = pbkdf2Sync(password, salt, ITERATIONS, HASH_BYTES, "sha512");
  return `$7$${ITERATIONS}$${Buffer.from(salt).toString("base64")}$${hash.toString("base64")}`;
}

export interface MosquittoFiles {
  readonly host: string;
  readonly port: number;
  readonly aclFile: string;
  readonly passwordFile: string;
}

/** A configuration to start from. */
export function mosquittoConf({ host, port, aclFile, passwordFile }: MosquittoFiles): string {
  return `# A configuration to start from, written by headwater; changes are overwritten, so copy it.
# Mosquitto must be able to read the two files below: run it as the user who owns them, or copy them to where it can.
# It reads them again on SIGHUP, which is needed after "headwater enrol".
per_listener_settings false
allow_anonymous false
password_file ${passwordFile}
acl_file ${aclFile}

listener ${port} ${host}
# A device is who it says it is: its client id is its user name.
use_username_as_clientid true
# Nothing in the protocol uses QoS 2.
max_qos 1

# With Nagle's algorithm on, small messages wait for each other.
set_tcp_nodelay true
# The longest packet of the protocol is ${defaultBrokerLimits.packetBytes / 1024} KiB.
max_packet_size ${defaultBrokerLimits.packetBytes}
# Beyond these a message is dropped. The protocol asks for it again; a client that does not read costs no more memory.
max_inflight_messages 64
max_queued_messages 4096
max_queued_bytes 67108864
# Retained messages come back with the server, which says them again on every connection.
persistence false
`;
}
