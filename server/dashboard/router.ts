// Where the reader is: the address behind the `#`.

import { useEffect, useState } from "preact/hooks";

/** A place: "#/devices/pump-1?show=away". */
export interface Place {
  readonly page: string;
  readonly item: string | undefined;
  readonly query: URLSearchParams;
}

export function parsePlace(hash: string): Place {
  const [path = "", query = ""] = hash.replace(/^#\/?/, "").split("?");
  const [page = "", item] = path.split("/");
  return {
    page,
    item: item === undefined || item === "" ? undefined : decode(item),
    query: new URLSearchParams(query),
  };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** The place now, and again whenever it changes. */
export function usePlace(): Place {
  const [hash, setHash] = useState(location.hash);
  useEffect(() => {
    const listen = () => setHash(location.hash);
    addEventListener("hashchange", listen);
    return () => removeEventListener("hashchange", listen);
  }, []);
  return parsePlace(hash);
}
