use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use futures::executor::block_on;
use futures::future::join_all;

use super::*;

#[test]
fn a_job_runs_on_a_named_cpu_thread_without_any_runtime() {
    let pools = Pools::new(2);
    let name = block_on(pools.run(|| std::thread::current().name().map(str::to_owned))).unwrap();
    assert!(name.unwrap().starts_with("headwater-cpu-"));
}

#[tokio::test]
async fn a_panicking_job_is_an_error_and_the_thread_goes_on() {
    let pools = Pools::new(1);
    let outcome: Result<(), _> = pools.run(|| panic!("row {}", 7)).await;
    let error = outcome.unwrap_err();
    assert_eq!(error, PoolError::Panicked { message: "row 7".to_owned() });
    assert_eq!(error.kind(), IoErrorKind::Internal);
    assert_eq!(pools.run(|| 1 + 1).await, Ok(2));
}

#[tokio::test]
async fn no_more_jobs_run_at_once_than_threads() {
    let pools = Pools::new(3);
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let jobs = (0..200).map(|_| {
        let (now, most) = (Arc::clone(&now), Arc::clone(&most));
        pools.run(move || {
            most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            std::thread::yield_now();
            now.fetch_sub(1, Ordering::SeqCst);
        })
    });
    for outcome in join_all(jobs).await {
        outcome.unwrap();
    }
    assert!(most.load(Ordering::SeqCst) <= 3);
}

#[tokio::test]
async fn jobs_beyond_the_first_use_further_threads() {
    let pools = Pools::new(2);
    let barrier = Arc::new(std::sync::Barrier::new(2));
    let jobs = (0..2).map(|_| {
        let barrier = Arc::clone(&barrier);
        pools.run(move || barrier.wait().is_leader())
    });
    let leaders = join_all(jobs).await.into_iter().filter(|leader| *leader == Ok(true)).count();
    assert_eq!(leaders, 1);
}

#[tokio::test]
async fn a_job_whose_future_is_gone_is_skipped() {
    let pools = Pools::new(1);
    let gate = Arc::new(std::sync::Barrier::new(2));
    let ran = Arc::new(AtomicBool::new(false));
    let waiting = Arc::clone(&gate);
    let blocker = pools.run(move || waiting.wait().is_leader());
    let flag = Arc::clone(&ran);
    let dropped = pools.run(move || flag.store(true, Ordering::SeqCst));
    {
        let mut blocker = Box::pin(blocker);
        let mut dropped = Box::pin(dropped);
        assert!(futures::poll!(&mut blocker).is_pending());
        assert!(futures::poll!(&mut dropped).is_pending());
        drop(dropped);
        gate.wait();
        blocker.await.unwrap();
    }
    pools.run(|| ()).await.unwrap();
    assert!(!ran.load(Ordering::SeqCst));
}

#[tokio::test]
async fn dropping_a_task_aborts_it() {
    let pools = Pools::new(1);
    let (alive, gone) = oneshot::channel::<()>();
    let task = pools.spawn(async move {
        let _alive = alive;
        std::future::pending::<()>().await;
    });
    drop(task);
    assert!(gone.await.is_err());
}

#[tokio::test]
async fn a_panicking_task_is_an_error() {
    let pools = Pools::new(1);
    let task: Task<()> = pools.spawn(async { panic!("boom") });
    assert_eq!(task.await, Err(PoolError::Panicked { message: "boom".to_owned() }));
}

#[test]
fn tasks_run_where_there_is_no_runtime() {
    let pools = Pools::new(1);
    let task = pools.spawn(async {
        tokio::time::sleep(Duration::from_millis(1)).await;
        5
    });
    assert_eq!(block_on(task), Ok(5));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_cpu_job_can_start_tasks_on_the_runtime_of_its_caller() {
    let pools = Pools::new(1);
    let inner = pools.clone();
    let task = pools.run(move || inner.spawn(async { 3 })).await.unwrap();
    assert_eq!(task.await, Ok(3));
}
