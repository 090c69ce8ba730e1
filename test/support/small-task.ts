// A task as small as a task can be, for tests that need one.

/** Nine lines of YAML; a test may add its own below them. */
export const smallTask = `task: small
sources:
  air: {}
features:
  from: air
  list: [{ copy: [pm25] }]
label:
  forecast: { of: pm25, ahead: 1h }
model: { dense: [8] }
`;
