// Influx line protocol: `measurement,tag=a field=1i,other="text" 1465839830100400200`, a point per line.
// https://docs.influxdata.com/influxdb/v2/reference/syntax/line-protocol/

/** One line. */
export interface Point {
  readonly measurement: string;
  readonly tags: ReadonlyMap<string, string>;
  /** Without a prototype. */
  readonly fields: Readonly<Record<string, number | boolean | string>>;
  /** As written; undefined where the line has none. */
  readonly timestamp: string | undefined;
}

/** The points of a text in order, at most `limit`; undefined for each line that is none. Comments are passed over. */
export function parseLines(text: string, limit: number): readonly (Point | undefined)[] {
  const scanner = new Scanner(text);
  const points: (Point | undefined)[] = [];
  while (points.length < limit && scanner.findLine()) {
    points.push(scanner.point());
    scanner.skipLine();
  }
  return points;
}

const TIMESTAMP = /^-?\d{1,20}$/;
const FLOAT = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
const INTEGER = /^[+-]?\d{1,20}[iu]$/;
const TRUTHS: ReadonlyMap<string, boolean> = new Map([
  ...["t", "T", "true", "True", "TRUE"].map((word) => [word, true] as const),
  ...["f", "F", "false", "False", "FALSE"].map((word) => [word, false] as const),
]);

class Scanner {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** Moves on to the next line that holds something; false at the end. */
  findLine(): boolean {
    for (; this.#at < this.#text.length; this.#at++) {
      const char = this.#text[this.#at]!;
      if (char === "#") this.skipLine();
      else if (!/\s/.test(char)) return true;
    }
    return false;
  }

  /** To the newline that ends this line. */
  skipLine(): void {
    const end = this.#text.indexOf("\n", this.#at);
    this.#at = end < 0 ? this.#text.length : end;
  }

  point(): Point | undefined {
    const measurement = this.#name(", ");
    const tags = new Map<string, string>();
    while (this.#accept(",")) {
      const key = this.#name("=");
      if (!this.#accept("=")) return undefined;
      const value = this.#name(", ");
      if (key === "" || value === "") return undefined;
      tags.set(key, value);
    }
    const fields = measurement !== "" && this.#accept(" ") ? this.#fields() : undefined;
    if (fields === undefined) return undefined;
    const timestamp = this.#rest();
    if (timestamp !== "" && !TIMESTAMP.test(timestamp)) return undefined;
    return { measurement, tags, fields, timestamp: timestamp || undefined };
  }

  #fields(): Point["fields"] | undefined {
    const fields: Record<string, number | boolean | string> = Object.create(null);
    this.#skipSpaces();
    do {
      const key = this.#name("=");
      if (key === "" || !this.#accept("=")) return undefined;
      const value = this.#accept('"') ? this.#quoted() : unquoted(this.#name(", "));
      if (value === undefined) return undefined;
      fields[key] = value;
    } while (this.#accept(","));
    return fields;
  }

  /** Text up to one of `ends` or the end of the line; a backslash takes the meaning from what may end a name. */
  #name(ends: string): string {
    let name = "";
    let from = this.#at;
    for (; this.#at < this.#text.length; this.#at++) {
      const char = this.#text[this.#at]!;
      if (char === "\n" || ends.includes(char)) break;
      if (char !== "\\" || !", =".includes(this.#text[this.#at + 1] ?? "\n")) continue;
      name += this.#text.slice(from, this.#at);
      from = ++this.#at;
    }
    return (name + this.#text.slice(from, this.#at)).replace(/\r$/, "");
  }

  /** After the opening quote: a string, which may hold newlines. */
  #quoted(): string | undefined {
    let value = "";
    let from = this.#at;
    for (; this.#at < this.#text.length; this.#at++) {
      const char = this.#text[this.#at]!;
      if (char === '"') return value + this.#text.slice(from, this.#at++);
      if (char !== "\\" || !'"\\'.includes(this.#text[this.#at + 1] ?? "\n")) continue;
      value += this.#text.slice(from, this.#at);
      from = ++this.#at;
    }
    return undefined;
  }

  #rest(): string {
    const start = this.#at;
    this.skipLine();
    return this.#text.slice(start, this.#at).trim();
  }

  #accept(char: string): boolean {
    if (this.#text[this.#at] !== char) return false;
    this.#at++;
    return true;
  }

  #skipSpaces(): void {
    while (this.#text[this.#at] === " ") this.#at++;
  }
}

function unquoted(text: string): number | boolean | undefined {
  if (INTEGER.test(text)) return Number(text.slice(0, -1));
  return FLOAT.test(text) ? Number(text) : TRUTHS.get(text);
}
