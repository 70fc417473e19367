//! Prints `compat/coverage.toml` with a line for every read; lines already there stay.

use headwater_testkit::coverage::{completed, load, render};

fn main() {
    print!("{}", render(&completed(&load())));
}
