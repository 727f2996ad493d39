//! Never compiled: Tauri's bundler packs whatever program stands in its place.

fn main() {}
