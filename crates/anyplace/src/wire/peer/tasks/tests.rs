use super::*;
use crate::place::Scope;
use proptest::prelude::*;

fn body(frame: &Frame<'_>) -> Vec<u8> {
    frame.to_vec()[9..].to_vec()
}

fn told(work: Work) -> Vec<u8> {
    let options = TaskOptions {
        name: Some("resize".into()),
        idempotent: true,
        timeout: Some(Duration::from_millis(1500)),
    };
    let task = Task::new(7, 3, 1, work, options, Arc::new(Scope::new("here".to_owned(), 5)));
    body(&run(40, &task))
}

fn command() -> Command {
    let mut command = Command::new(["sh", "-c", "cat"]);
    command.env = vec![("LANG".into(), "C".into())];
    command.cwd = Some("/tmp".into());
    command.stdin = Some(vec![0, 1, 2]);
    command
}

fn named() -> Work {
    let arguments = Arguments::One(Payload::new(Encoding::Postcard, vec![3; 40]));
    Work::Named(Named { name: "double".into(), arguments })
}

/// One message of each kind that has a list, a text or a value in it.
fn messages() -> Vec<Vec<u8>> {
    let finished = Finished {
        exit: Exit::Code(3),
        took: Duration::from_millis(9),
        stdout: Captured::memory(b"out".to_vec()),
        stderr: Captured::memory(b"err".to_vec()),
    };
    let outcomes = [
        Outcome::Returned(Value::Command(finished)),
        Outcome::Returned(Value::Encoded(Payload::new(Encoding::Json, b"[1]".as_slice()))),
        Outcome::Failed(Error::new(crate::Kind::TaskFailed, "no ink").with_help("buy some")),
    ];
    let ended =
        outcomes.map(|outcome| ended(1, Some(Duration::from_nanos(5)), outcome, |frame| body(&frame)));
    let others =
        [told(Work::Command(command())), told(named()), body(&resume(2, &[3, 4])), body(&heard(&[5, 6]))];
    ended.into_iter().chain(others).collect()
}

/// Reads bytes as whatever they may be; those that are not it are refused, and never more than that.
fn read_all(bytes: &[u8]) {
    drop(Run::read(bytes));
    drop(read_ended(bytes));
    drop(read_resume(bytes));
    drop(read_heard(bytes));
    drop(read_fates(bytes));
    let _ = read_end(bytes);
}

#[test]
fn a_program_reads_as_it_was_written() {
    let read = Run::read(&told(Work::Command(command()))).unwrap();
    let Told::Work(Work::Command(read_command)) = &read.work else { panic!("{read:?}") };
    assert_eq!(format!("{read_command:?}"), format!("{:?}", command()));
    assert_eq!((read.number, read.items, read.is_measured), (40, 1, false));
    assert_eq!((read.context.task, read.context.index, read.context.root_seed), (7, 3, 5));
    assert_eq!(read.options.timeout, Some(Duration::from_millis(1500)));
    assert!(read.options.idempotent && read.options.name.as_deref() == Some("resize"));
}

#[test]
fn an_end_and_what_became_of_tasks_read_as_they_were_written() {
    for wanted in [Wanted::Cancelled, Wanted::Ended(Ending::Cancelled), Wanted::Ended(Ending::Timeout)] {
        assert_eq!(read_end(&body(&end(9, wanted))), Ok((9, wanted)));
    }
    assert_eq!(read_resume(&body(&resume(2, &[3, 4]))), Ok((2, vec![3, 4])));
    assert_eq!(read_heard(&body(&heard(&[]))), Ok(Vec::new()));
    assert_eq!(read_fates(&[0, 1, 2]), Ok(vec![Fate::Unbegun, Fate::Over, Fate::Pending]));
    assert!(read_fates(&[3]).is_err());
}

/// Room for what is announced here is in no machine.
#[test]
fn what_is_only_announced_costs_nothing() {
    for announced in [1_u64 << 40, 1 << 60, u64::MAX] {
        let count = announced.to_le_bytes();
        assert!(read_heard(&count).is_err());
        assert!(read_resume(&[[0; 8], count].concat()).is_err());
        let mut program = told(Work::Command(command()));
        // The words come after the task's numbers: 8 + 1 + 4, a time, a name, 8 + 8 + 8 + 4.
        let words = 13 + 9 + 1 + 8 + "resize".len() + 28;
        assert_eq!(program[words..words + 8], 3_u64.to_le_bytes());
        program[words..words + 8].copy_from_slice(&count);
        assert!(Run::read(&program).is_err());
    }
}

proptest! {
    #[test]
    fn no_bytes_do_harm(bytes in any::<Vec<u8>>()) {
        read_all(&bytes);
    }

    #[test]
    fn no_message_that_was_changed_or_cut_does_harm(
        which in any::<prop::sample::Index>(),
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut message = which.get(&messages()).clone();
        let at = at.index(message.len());
        message[at] = byte;
        read_all(&message);
        read_all(&message[..cut.index(message.len())]);
    }
}
