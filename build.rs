//! Lays out the static files in `target/assets` as the edge serves them: each under its own name,
//! and styles, scripts and pictures also under a name with the hash of their content, which
//! browsers may cache forever. Writes the table of hashed names for `src/web/assets.rs`, so that a
//! page and the files it links come from the same build.

#[path = "tools/brand/mod.rs"]
mod brand;

use brand::Brand;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::{env, fs, io};

/// Extensions of files that are also served under the hash of their content.
const HASHED: [&str; 4] = ["css", "js", "svg", "png"];

/// The style sheet that begins with the brand's colours.
const THEME: &str = "css/shop.css";

/// Bytes of the hash in a name; enough to tell the versions of one file apart.
const HASH_BYTES: usize = 6;

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=assets");
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=tools/brand");
    let (file, laid_out_in) = places();
    println!("cargo::rerun-if-changed={file}");
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    let source = root.join("assets");
    let read = fs::read_to_string(root.join(file))
        .map_err(|error| format!("{file}: {error}"))
        .and_then(|text| Brand::read(&text, &|name| source.join(name).is_file()));
    let brand = match read {
        Ok(brand) => brand,
        Err(refusal) => {
            println!("cargo::error={refusal}");
            return Ok(());
        }
    };
    let mut laid_out = BTreeMap::new();
    let mut table = BTreeMap::new();
    for file in files_of(&source)? {
        let name = name_of(&source, &file);
        let mut content = fs::read(&file)?;
        if name == THEME {
            content.splice(0..0, brand.css().into_bytes());
        }
        if let Some(hashed) = hashed_name(&name, &content) {
            table.insert(format!("/{name}"), format!("/{hashed}"));
            laid_out.insert(hashed, content.clone());
        }
        laid_out.insert(name, content);
    }
    laid_out.insert(
        "manifest.webmanifest".to_owned(),
        brand.manifest().into_bytes(),
    );
    lay_out(&root.join(laid_out_in), &laid_out)?;
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    fs::write(out.join("brand.rs"), brand.code())?;
    fs::write(out.join("assets.rs"), code_of(&table))
}

/// Returns the folder that the brand is read from and the one that static files are laid out in.
fn places() -> (&'static str, &'static str) {
    if env::var_os("CARGO_FEATURE_SECOND_BRAND").is_some() {
        return ("tests/brand/second.toml", "target/assets-of-second-brand");
    }
    (brand::FILE, "target/assets")
}

/// Returns the hashed name: `css/shop.css` becomes `assets/css/shop.0123456789ab.css`.
fn hashed_name(name: &str, content: &[u8]) -> Option<String> {
    let (stem, extension) = name.rsplit_once('.')?;
    if !HASHED.contains(&extension) {
        return None;
    }
    let hash: String = Sha256::digest(content)
        .iter()
        .take(HASH_BYTES)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    Some(format!("assets/{stem}.{hash}.{extension}"))
}

/// Makes `folder` hold exactly these files. Files that are already right are not touched, because a
/// server may be reading them.
fn lay_out(folder: &Path, wanted: &BTreeMap<String, Vec<u8>>) -> io::Result<()> {
    for (name, content) in wanted {
        let path = folder.join(name);
        if fs::read(&path).is_ok_and(|present| present == *content) {
            continue;
        }
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::write(&path, content)?;
    }
    let names: BTreeSet<&String> = wanted.keys().collect();
    for file in files_of(folder)? {
        if !names.contains(&name_of(folder, &file)) {
            fs::remove_file(file)?;
        }
    }
    Ok(())
}

fn code_of(table: &BTreeMap<String, String>) -> String {
    let rows: String = table
        .iter()
        .map(|(name, hashed)| format!("    ({name:?}, {hashed:?}),\n"))
        .collect();
    format!("static HASHED: &[(&str, &str)] = &[\n{rows}];\n")
}

fn files_of(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            files.extend(files_of(&path)?);
        } else {
            files.push(path);
        }
    }
    Ok(files)
}

/// Returns the path of `file` relative to `folder`, with forward slashes.
fn name_of(folder: &Path, file: &Path) -> String {
    let parts = file.strip_prefix(folder).unwrap_or(file).iter();
    let parts: Vec<_> = parts.map(|part| part.to_string_lossy()).collect();
    parts.join("/")
}
