use super::*;
use std::fs::File;

fn segment() -> Arc<Segment> {
    Segment::create_sized(5000, "test", 1 << 20).unwrap()
}

fn opened(segment: &Segment) -> Arc<Segment> {
    Segment::open(segment.fd().unwrap().try_clone().unwrap()).unwrap()
}

fn words(segment: &Segment) -> &[AtomicU64] {
    segment.shared(PAGE, segment.control_len() / 8)
}

#[test]
fn what_one_writes_the_other_reads() {
    let ours = segment();
    let theirs = opened(&ours);
    assert_ne!(ours.control(), theirs.control(), "two mappings of the same memory");
    words(&ours)[7].store(42, Relaxed);
    assert_eq!(words(&theirs)[7].load(Relaxed), 42);
}

#[test]
fn control_bytes_are_zero_whole_pages_and_backed() {
    let segment = segment();
    assert_eq!(segment.control_len(), 2 * PAGE);
    assert!(words(&segment).iter().all(|word| word.load(Relaxed) == 0));
    let backed = rustix::fs::fstat(segment.fd().unwrap()).unwrap().st_blocks * 512;
    assert!(usize::try_from(backed).unwrap() >= 3 * PAGE);
}

#[test]
fn nobody_can_shrink_it_and_no_program_inherits_it() {
    let segment = segment();
    rustix::fs::ftruncate(segment.fd().unwrap(), 0).unwrap_err();
    let flags = rustix::io::fcntl_getfd(segment.fd().unwrap()).unwrap();
    assert!(flags.contains(rustix::io::FdFlags::CLOEXEC));
}

#[test]
fn other_files_are_refused() {
    let file = OwnedFd::from(File::open("/dev/null").unwrap());
    assert_eq!(Segment::open(file).unwrap_err().kind(), ErrorKind::InvalidData);
    let unsealed = rustix::fs::memfd_create("test", MemfdFlags::CLOEXEC).unwrap();
    rustix::fs::ftruncate(&unsealed, 1 << 20).unwrap();
    assert_eq!(Segment::open(unsealed).unwrap_err().kind(), ErrorKind::InvalidData);
}

#[test]
fn a_header_that_lies_is_refused() {
    let lies: [fn(&Header); 5] = [
        |header| header.magic.store(0, Relaxed),
        |header| header.version.store(VERSION + 1, Relaxed),
        |header| header.len.store(1 << 40, Relaxed),
        |header| header.control_len.store(u64::MAX, Relaxed),
        |header| header.control_len.store(1 << 20, Relaxed),
    ];
    for lie in lies {
        let segment = segment();
        lie(segment.header());
        let error = Segment::open(segment.fd().unwrap().try_clone().unwrap()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidData);
    }
}

#[test]
#[should_panic(expected = "outside the segment")]
fn nothing_outside_is_given_out() {
    segment().shared::<AtomicU64>((1 << 20) - 8, 2);
}

/// The segment as a process has it whose machine has no memory left: what is there can be used, and no more is had.
pub(crate) fn deprived(segment: &Segment) -> Arc<Segment> {
    use std::os::fd::AsRawFd;
    let mut opened = Arc::into_inner(opened(segment)).unwrap();
    // Through a descriptor that may only read, the kernel refuses to back anything.
    opened.fd =
        held(File::open(format!("/proc/self/fd/{}", segment.fd().unwrap().as_raw_fd())).unwrap().into());
    Arc::new(opened)
}
