// `http` in a device's config: where it may be asked about itself.

import { z } from "zod";
import { isLoopback, readAddress } from "../../shared/address.js";

/** Where the device answers, and whom. */
export interface HttpConfig {
  readonly host: string;
  readonly port: number;
  /** Who asks must have it: Authorization: Bearer TOKEN. */
  readonly token: string | undefined;
}

const ADDRESS_RULE = "expected HOST:PORT such as 127.0.0.1:9464";

/** Schema of a bearer token that nobody guesses. */
export const tokenSchema = z.string().min(16, { error: "expected at least 16 characters" }).max(1024);

/** Absent, nothing listens and nothing of it is loaded. */
export const httpSchema = z
  .strictObject({
    listen: z
      .string({ error: ADDRESS_RULE })
      .refine((text) => readAddress(text) !== undefined, { error: ADDRESS_RULE })
      .prefault("127.0.0.1:9464")
      .describe("HOST:PORT; whoever is not on this machine needs a token."),
    token: tokenSchema.optional().describe("Who asks must have it: Authorization: Bearer TOKEN."),
  })
  .superRefine(({ listen, token }, context) => {
    const address = readAddress(listen);
    if (address === undefined || token !== undefined || isLoopback(address.host)) return;
    const message = `whoever reaches ${address.host} could ask what it likes: expected a token, or 127.0.0.1`;
    context.addIssue({ code: "custom", path: ["listen"], message });
  })
  .transform(({ listen, token }): HttpConfig => ({ ...readAddress(listen)!, token }))
  .optional()
  .describe("Where this device may be asked about itself. Default: nowhere.");
