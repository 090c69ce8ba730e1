// Builds dist/: `npm run build`, and during `npm ci`. Where TypeScript is absent (`npm ci --omit=dev`, an installed tarball)
// there is nothing to build, or nothing to build with: that is not an error.
import { spawnSync } from "node:child_process";
import { chmodSync, existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const require = createRequire(import.meta.url);

function findTypeScript() {
  try {
    const manifest = require.resolve("typescript/package.json");
    return join(dirname(manifest), require(manifest).bin.tsc);
  } catch {
    return undefined;
  }
}

async function buildDashboard() {
  const { build } = await import("vite");
  await build({ configFile: fileURLToPath(new URL("../server/dashboard/vite.config.js", import.meta.url)) });
}

const tsc = findTypeScript();
if (tsc === undefined) {
  if (!existsSync("dist/cli/main.js")) {
    process.stderr.write(
      "headwater: TypeScript is not installed, so dist/ was not built; run `npm ci` for a build.\n",
    );
  }
} else {
  const { status } = spawnSync(process.execPath, [tsc, "-p", "tsconfig.build.json"], { stdio: "inherit" });
  if (status === 0) await buildDashboard();
  // The compiler writes a plain file; npx runs the command line as a program.
  if (existsSync("dist/cli/main.js")) chmodSync("dist/cli/main.js", 0o755);
  process.exitCode = status ?? 1;
}
