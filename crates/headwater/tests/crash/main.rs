//! Dies before, in the middle of and after every file operation of create, write, commit and drop.
//!
//! After each crash the table is opened anew: what was acknowledged is there exactly once, what
//! was not is wholly there or wholly absent, earlier commits are untouched, and the job goes on.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "tests fail by panicking, also in what they share"
)]

mod run;
mod scenario;
#[path = "../it/small.rs"]
mod small;

use run::Store;
use scenario::{Scenario, compact, create_twice, drop_and_create_again, manifests, writes};

const STORES: [Store; 2] = [Store::Memory, Store::Local];

fn survive(scenario: &dyn Scenario) {
    for store in STORES {
        let states = run::block_on(run::every_crash(scenario, store));
        println!("{}, {store:?}: {states} crash states", scenario.name());
    }
}

#[test]
fn creating_a_database_and_a_table_survives_every_crash() {
    survive(&create_twice());
}

#[test]
fn dropping_a_table_survives_every_crash() {
    survive(&drop_and_create_again());
}

macro_rules! write_survives {
    ($($test:ident: $scenario:expr;)*) => {
        $(
            #[test]
            fn $test() {
                survive(&$scenario);
            }
        )*

        #[test]
        fn there_are_at_least_a_thousand_crash_states() {
            let mut scenarios: Vec<Box<dyn Scenario>> =
                vec![Box::new(create_twice()), Box::new(drop_and_create_again())];
            $(scenarios.push(Box::new($scenario));)*
            let mut states = 0;
            for scenario in &scenarios {
                for store in STORES {
                    states += run::block_on(run::crash_points(scenario.as_ref(), store)).len();
                }
            }
            println!("{states} crash states in {} scenarios", scenarios.len());
            assert!(states >= 1000, "only {states}");
        }
    };
}

write_survives! {
    a_first_commit_survives_every_crash: writes::first_commit();
    a_commit_that_merges_manifests_survives_every_crash: writes::manifest_merge();
    a_static_overwrite_survives_every_crash: writes::static_overwrite();
    a_dynamic_overwrite_survives_every_crash: writes::dynamic_overwrite();
    a_commit_to_many_buckets_survives_every_crash: writes::many_buckets();
    a_commit_to_dynamic_buckets_survives_every_crash: writes::dynamic_buckets();
    an_append_survives_every_crash: writes::plain_append();
    an_append_to_fixed_buckets_survives_every_crash: writes::bucketed_append();
    compacting_runs_survives_every_crash: compact::keyed_job();
    giving_waiting_rows_their_buckets_survives_every_crash: compact::TakeIn;
    compacting_small_files_survives_every_crash: compact::append_job();
    a_commit_that_compacts_survives_every_crash: compact::AfterCommit;
    merging_manifests_survives_every_crash: manifests::Merge;
}
