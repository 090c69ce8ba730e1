// `headwater server TASK`: the aggregator of one task, until it is told to stop.

import { type Command, InvalidArgumentError, Option } from "commander";
import type { AlertConfig } from "../server/alert/desk.js";
import type { BrokerConfig } from "../server/host/config.js";
import { startServerHost } from "../server/host/host.js";
import { TOKEN_CHARACTERS_MIN } from "../server/http/actions.js";
import { type Address, formatAddress, isLoopback } from "../shared/address.js";
import { HeadwaterError } from "../shared/error.js";
import { createLogger, type LogLevel } from "../shared/log.js";
import type { MqttEndpoint } from "../shared/transport/mqtt-session.js";
import { addressOption, parseAddress } from "./address.js";
import { readNamed } from "./read-named.js";
import { notifySystemd } from "./systemd.js";
import { loadTaskFile } from "./task-file.js";
import { untilStopped } from "./until-stopped.js";

interface Options {
  readonly data: string;
  readonly listen: Address;
  readonly ws?: Address;
  readonly http: Address | false;
  readonly httpToken?: string;
  readonly httpOpen?: boolean;
  readonly broker?: string;
  readonly username?: string;
  readonly password?: string;
  readonly ca?: string;
  readonly seed?: string;
  readonly tensorboard?: string;
  readonly alertWebhook?: string;
  readonly alertTopic?: string;
  readonly alertBroker?: string;
  readonly alertUsername?: string;
  readonly alertPassword?: string;
  readonly log: LogLevel;
}

/** Adds the command. */
export function register(program: Command): void {
  program
    .command("server")
    .description("run the server of a task: broker, rounds, models, dashboard")
    .argument("<task>", "task file (YAML)")
    .requiredOption("--data <dir>", "data folder; made if it is not there")
    .addOption(addressOption("--listen <address>", "MQTT over TCP", "127.0.0.1:1883"))
    .option("--ws <address>", "MQTT over WebSocket as well", parseAddress)
    .addOption(addressOption("--http <address>", "dashboard and API", "127.0.0.1:8080"))
    .option("--no-http", "neither dashboard nor API")
    .addOption(
      new Option(
        "--http-token <secret>",
        "what to ask of those who want predictions or change something over HTTP",
      )
        .env("HEADWATER_HTTP_TOKEN")
        .argParser(parseToken),
    )
    .option("--http-open", "whoever reaches the address may ask for predictions, token or not")
    .option("--broker <url>", "a broker of others instead of our own, such as mqtt://localhost:1883")
    .option("--username <name>", "at that broker")
    .addOption(new Option("--password <secret>", "at that broker").env("HEADWATER_BROKER_PASSWORD"))
    .option("--ca <file>", "certificates to trust at these brokers (PEM)")
    .option("--seed <text>", "root of all chance, for a new data folder (default: drawn)")
    .option("--tensorboard <dir>", "write event files for TensorBoard there")
    .addOption(new Option("--alert-webhook <url>", "where to post alerts").env("HEADWATER_ALERT_WEBHOOK"))
    .option("--alert-topic <prefix>", "publish alerts to PREFIX/TASK/KIND")
    .option("--alert-broker <url>", "at this broker (default: that of --broker, as the same user)")
    .option("--alert-username <name>", "at --alert-broker")
    .addOption(new Option("--alert-password <secret>", "at --alert-broker").env("HEADWATER_ALERT_PASSWORD"))
    .addOption(
      new Option("--log <level>", "least important log line")
        .choices(["debug", "info", "warn", "error", "silent"])
        .default("info"),
    )
    .action((path: string, options: Options) => run(path, options));
}

async function run(path: string, options: Options): Promise<void> {
  const { data: folder, http, seed, log } = options;
  checkReach(options);
  const task = loadTaskFile(path);
  const logger = createLogger(log);
  const stopped = untilStopped();
  const host = await startServerHost(
    {
      ...{ task, folder, seed, tensorboard: options.tensorboard },
      ...{ broker: brokerOf(options), alerts: alertsOf(options) },
      http: http === false ? undefined : { ...http, token: options.httpToken },
    },
    { logger },
  );
  const addresses = [...host.brokerUrls, ...(host.httpUrl === undefined ? [] : [host.httpUrl])];
  process.stdout.write(`ready: ${addresses.join(" ")}\n`);
  notifySystemd("ready");
  try {
    const signal = await Promise.race([stopped, host.server.failed]);
    logger.info({ component: "host", event: "stopping", signal }, "stopping");
  } finally {
    notifySystemd("stopping");
    await host.stop();
  }
}

/** An address that others reach is not opened by mistake. */
function checkReach({ http, httpToken, httpOpen = false }: Options): void {
  if (http === false || isLoopback(http.host) || httpToken !== undefined || httpOpen) return;
  const message = `--http ${formatAddress(http)} is reached by others: give --http-token, or --http-open if that is meant`;
  throw new HeadwaterError("config-invalid", message);
}

function parseToken(text: string): string {
  if (text.length >= TOKEN_CHARACTERS_MIN) return text;
  throw new InvalidArgumentError(`expected at least ${TOKEN_CHARACTERS_MIN} characters, got ${text.length}.`);
}

function alertsOf({
  alertWebhook: webhook,
  alertTopic: prefix,
  ...options
}: Options): AlertConfig | undefined {
  if (prefix === undefined) return webhook === undefined ? undefined : { webhook };
  const { broker, alertBroker, alertUsername: username, alertPassword: password, ca } = options;
  if (alertBroker !== undefined) {
    return { webhook, mqtt: { prefix, endpoint: endpointOf(alertBroker, { username, password, ca }) } };
  }
  if (broker !== undefined) return { webhook, mqtt: { prefix, endpoint: endpointOf(broker, options) } };
  const message = "--alert-topic needs --alert-broker: our own broker lets only devices in";
  throw new HeadwaterError("config-invalid", message);
}

function brokerOf({ broker: url, listen, ws, ...access }: Options): BrokerConfig {
  if (url === undefined) {
    const listeners = [{ kind: "tcp" as const, ...listen }];
    return {
      kind: "embedded",
      listeners: ws === undefined ? listeners : [...listeners, { kind: "ws", ...ws }],
    };
  }
  return { kind: "external", endpoint: endpointOf(url, access) };
}

function endpointOf(
  url: string,
  { username, password, ca }: { readonly [Name in "username" | "password" | "ca"]?: string | undefined },
): MqttEndpoint {
  return {
    url,
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(ca === undefined ? {} : { ca: readNamed(ca, "certificates") }),
  };
}
