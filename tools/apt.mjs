//! Debian packages, for programs that no other registry offers. Installs only what is missing, and
//! only as root; other users are shown the command.

import { answerOf, must, say, Stop } from "./run.mjs";

export function aptKnows(packages) {
  if (answerOf("apt-get", ["--version"]) === null) return false;
  return known(packages) || (isRoot() && answerOf("apt-get", ["update"]) !== null && known(packages));
}

export async function aptInstall(packages) {
  const missing = packages.filter((name) => !installed(name));
  if (missing.length === 0) return;
  const command = `apt-get install -y ${missing.join(" ")}`;
  if (!isRoot() || answerOf("apt-get", ["--version"]) === null) {
    throw new Stop(`system packages are missing: run \`sudo ${command}\` (or your system's equivalent), then run this again`);
  }
  say(`installing ${missing.join(", ")}`);
  answerOf("apt-get", ["update"]);
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  await must("apt-get", ["install", "-y", "-qq", "--no-install-recommends", ...missing], env, `\`${command}\` failed: see its error above`, {
    stdio: ["ignore", "ignore", "inherit"],
  });
}

function isRoot() {
  return process.getuid?.() === 0;
}

function installed(name) {
  return answerOf("dpkg-query", ["-W", "-f=${Status}", name])?.endsWith("ok installed") ?? false;
}

function known(packages) {
  return packages.every((name) => installed(name) || answerOf("apt-cache", ["show", name]));
}
