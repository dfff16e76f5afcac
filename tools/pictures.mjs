//! Uploads pictures to a shop, which names each by its content. Promises: pictures that the shop
//! already has are not sent again.

import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { Stop } from "./run.mjs";

const PICTURE = /\.(jpe?g|png|webp|avif|gif)$/i;
const SENT_AT_ONCE = 8;
const ALPHABET = "abcdefghijklmnopqrstuvwxyz234567";
const DIGEST_BYTES = 16;

/**
 * Uploads the pictures of a folder that the shop lacks, and returns their addresses by file name.
 * `call` calls the shop as staff.
 */
export async function uploadPictures(folder, call) {
  const files = await readdir(folder).catch(() => {
    throw new Stop(`${folder} can't be read: give the path of a folder with pictures`);
  });
  const waiting = files.filter((file) => PICTURE.test(file)).sort();
  if (waiting.length === 0) throw new Stop(`${folder} contains no pictures: JPEG, PNG, WebP, AVIF and GIF are accepted`);
  const known = await knownPictures(call);
  const urls = new Map(waiting.map((file) => [file, null]));
  let sent = 0;
  const sendAll = async () => {
    for (let file = waiting.shift(); file; file = waiting.shift()) {
      const content = await readFile(join(folder, file));
      const there = known.get(digestOf(content));
      urls.set(file, there ?? (await upload(call, file, content)));
      if (!there) sent += 1;
    }
  };
  await Promise.all(Array.from({ length: SENT_AT_ONCE }, sendAll));
  return { urls, sent };
}

/**
 * Returns the digest in a picture's name: base 32 of the first half of SHA-256, as the shop
 * computes it.
 */
export function digestOf(content) {
  const bytes = createHash("sha256").update(content).digest().subarray(0, DIGEST_BYTES);
  const bits = [...bytes].map((byte) => byte.toString(2).padStart(8, "0")).join("");
  return bits.match(/.{1,5}/g).map((five) => ALPHABET[parseInt(five.padEnd(5, "0"), 2)]).join("");
}

async function upload(call, file, content) {
  const answer = await call("POST", "/api/v1/admin/media", content, "application/octet-stream").catch((error) => {
    throw error instanceof Stop ? new Stop(`${file}: ${error.message}`) : error;
  });
  return (await answer.json()).url;
}

/** Returns the addresses of the shop's pictures, by digest. */
async function knownPictures(call) {
  const known = new Map();
  for (let cursor = ""; cursor !== null; ) {
    const page = await call("GET", `/api/v1/admin/media?limit=100${cursor}`).then((answer) => answer.json());
    for (const { name, url } of page.data) known.set(name.split("-")[0], url);
    cursor = page.next_cursor && `&cursor=${encodeURIComponent(page.next_cursor)}`;
  }
  return known;
}
