// A field that does not apply is left out of what the API says.

/** The fields that are there: neither null nor undefined. */
export function optional<Fields extends object>(
  fields: Fields,
): { [Key in keyof Fields]?: NonNullable<Fields[Key]> } {
  // What is left out may be absent in the type, so the check has been made.
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value != null)) as {
    [Key in keyof Fields]?: NonNullable<Fields[Key]>;
  };
}
