use std::path::Path;

use domain::config::Sources;
use include_dir::{Dir, File, include_dir};

static CONFIG: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/../../config");

/// The configuration that was built in: version 0, used while nothing was ever published (DESIGN §9).
#[must_use]
pub fn bundled_config() -> Sources {
    let mut files = Vec::new();
    collect(&CONFIG, &mut files);
    Sources::new(files.into_iter().filter_map(path_and_text))
}

/// The configuration in a folder on disk, for `cargo dev` and `millrace config check`.
///
/// # Errors
/// Names the folder or file that cannot be read.
pub fn config_folder(folder: &Path) -> Result<Sources, UnreadableConfig> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        let unreadable = |error: std::io::Error| UnreadableConfig { path: next.display().to_string(), why: error.to_string() };
        for entry in std::fs::read_dir(&next).map_err(unreadable)? {
            let path = entry.map_err(unreadable)?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "yaml") {
                let text = std::fs::read_to_string(&path).map_err(unreadable)?;
                let within = path.strip_prefix(folder).unwrap_or(&path).to_string_lossy().replace('\\', "/");
                files.push((within, text));
            }
        }
    }
    Ok(Sources::new(files))
}

/// A configuration that is not where it was said to be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{path} cannot be read: {why}; run from the root of the repository or name the folder")]
pub struct UnreadableConfig {
    /// Folder or file.
    pub path: String,
    /// What the machine said.
    pub why: String,
}

fn collect(folder: &'static Dir<'static>, files: &mut Vec<&'static File<'static>>) {
    files.extend(folder.files());
    for inner in folder.dirs() {
        collect(inner, files);
    }
}

/// Only YAML is configuration; an editor's leftovers are not.
fn path_and_text(file: &'static File<'static>) -> Option<(String, String)> {
    let path = file.path().to_str()?.replace('\\', "/");
    let is_yaml = file.path().extension().is_some_and(|extension| extension == "yaml");
    is_yaml.then(|| file.contents_utf8().map(|text| (path, text.to_owned()))).flatten()
}

#[cfg(test)]
mod tests {
    use domain::config::MAIN_FILE;

    use super::*;

    #[test]
    fn the_folder_on_disk_is_the_configuration_that_was_built_in() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config");
        assert_eq!(config_folder(&folder).unwrap(), bundled_config());
        assert!(config_folder(Path::new("no-such-folder")).unwrap_err().to_string().contains("no-such-folder"));
    }

    #[test]
    fn the_bundled_configuration_has_its_main_file_and_its_presets() {
        let sources = bundled_config();
        assert!(sources.text(MAIN_FILE).is_some());
        assert!(sources.below("presets/").count() >= 2);
    }
}
