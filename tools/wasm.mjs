//! Removes function names from a WebAssembly module: they are a tenth of it, and only serve the
//! stack traces of a debugger. A panic reports its location without them.

const HEADER_BYTES = 8; // magic and version
const CUSTOM = 0;

/** Returns the module without its custom section `name` (WebAssembly core specification, 7.4.1). */
export function withoutNames(module) {
  const kept = [module.subarray(0, HEADER_BYTES)];
  for (let at = HEADER_BYTES; at < module.length; ) {
    const size = unsigned(module, at + 1);
    const end = size.end + size.value;
    if (!(module[at] === CUSTOM && nameAt(module, size.end) === "name")) kept.push(module.subarray(at, end));
    at = end;
  }
  return Buffer.concat(kept);
}

function nameAt(module, at) {
  const { value, end } = unsigned(module, at);
  return module.toString("utf8", end, end + value);
}

/** Reads an unsigned LEB128 number. */
function unsigned(module, at) {
  let value = 0;
  for (let shift = 0, end = at; ; shift += 7) {
    const byte = module[end++];
    value += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) return { value, end };
  }
}
