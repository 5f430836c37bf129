//! Objects of `processes:`: each is kept by a *host*, a worker process that runs no tasks, so that a task that is killed costs
//! no object.
//!
//! There are as many hosts as workers at most, and each is started when an object needs it: it is the one worker of a place of
//! its own, whose only task lasts as long as the host. So all that holds for workers holds for hosts: how they start, what they
//! may use, that nothing of them is left. A new object goes to a new host until there are enough, then to the one that has
//! been given the fewest.

use super::options::Choices;
use super::workers::Workers;
use crate::Address;
use crate::driver::{Making, Recipe, Serve, Setup, Tasks};
use crate::error::{Error, Kind, Result, Retry};
use crate::outcome::{Done, Outcome};
use crate::peer::Peer;
use crate::place::Scope;
use crate::serve::objects::{Answer, Far, Names, Node, Object, Proxy, Reach, Request, here, ticket};
use crate::task::{Task, TaskOptions};
use crate::work::{Arguments, Pickled, Work};
use std::fmt;
use std::ops::Deref;
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

/// The Serve family of `processes:`.
pub(super) struct Hosts {
    most: usize,
    choices: Choices,
    setup: Setup,
    address: Address,
    names: Arc<Names>,
    started: Mutex<Vec<Arc<Host>>>,
    /// One is started at a time.
    starting: Mutex<()>,
}

/// The Serve family itself: supervised objects know the hosts, and are known by nobody else.
struct Handle(Arc<Hosts>);

/// A process that keeps objects.
struct Host {
    workers: Workers,
    peer: Peer,
    objects: Mutex<usize>,
}

impl Hosts {
    pub(super) fn new(most: usize, choices: &Choices, setup: &Setup, address: &Address) -> Arc<Self> {
        // Hosts end with their place, and not before; what becomes of their objects is said to those who call them.
        let choices = Choices { strict: false, max_tasks: u64::MAX, ..choices.clone() };
        Arc::new(Self {
            most: most.max(1),
            choices,
            setup: setup.clone(),
            address: address.clone(),
            names: Names::new(address),
            started: Mutex::default(),
            starting: Mutex::default(),
        })
    }

    /// What the place does with objects.
    pub(super) fn serve(self: &Arc<Self>) -> Arc<dyn Serve> {
        Arc::new(Handle(self.clone()))
    }

    fn started(&self) -> MutexGuard<'_, Vec<Arc<Host>>> {
        self.started.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The host for one more object.
    fn host(&self) -> Result<Arc<Host>> {
        let _one = self.starting.lock().unwrap_or_else(PoisonError::into_inner);
        self.names.check_open()?;
        let dead: Vec<_> = self.started().extract_if(.., |host| host.peer.end().is_some()).collect();
        // Its worker is buried here, which may take a moment.
        drop(dead);
        if self.started().len() < self.most {
            let host = Arc::new(self.start()?);
            self.started().push(host.clone());
            return Ok(host);
        }
        let started = self.started();
        let least = started.iter().min_by_key(|host| host.objects());
        least.cloned().ok_or_else(|| gone(&self.address))
    }

    fn start(&self) -> Result<Host> {
        let node = here()?;
        let (tell, told) = mpsc::channel();
        let number = node.expect(tell.clone())?;
        let work = self.work(&node, number)?;
        let workers = Workers::new(1, self.choices.clone(), &self.setup, &self.address)?;
        let scope = Arc::new(Scope::new(self.address.to_string(), 0));
        let task = Task::new(0, 0, 1, work, TaskOptions::default(), scope);
        workers.submit(
            task,
            Done::new(move |outcome| {
                // It has come in long ago, and ends with its place.
                drop(tell.send(Err(ended(outcome))));
            }),
        );
        workers.attend();
        let peer = came(&told);
        node.expect_no_more(number);
        Ok(Host { workers, peer: peer?, objects: Mutex::new(0) })
    }

    fn work(&self, node: &Arc<Node>, number: u64) -> Result<Work> {
        let host = self.setup.host.as_ref().ok_or_else(|| {
            Error::unsupported(
                &self.address,
                "keep objects of this program's language in processes",
                "publish an object of this process: `place.publish(name, object)`",
            )
        })?;
        let arguments = Arguments::One(ticket(node.hint()?, number)?);
        Ok(Work::Pickled(Pickled { function: host.clone(), arguments }))
    }

    /// Ends all hosts. What runs there gets `grace`.
    pub(super) fn close(&self, grace: Duration) {
        self.names.close();
        let _one = self.starting.lock().unwrap_or_else(PoisonError::into_inner);
        let hosts = std::mem::take(&mut *self.started());
        let closed = Error::new(Kind::PlaceClosed, format!("`{}` is closed", self.address))
            .at(&self.address)
            .with_retry(Retry::MayRepeat);
        hosts.iter().for_each(|host| host.peer.close(&closed));
        hosts.iter().for_each(|host| host.workers.close(grace));
    }
}

impl Host {
    fn objects(&self) -> usize {
        *self.objects.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Waits until the host comes in, or its worker has ended before.
fn came(told: &Receiver<Result<Peer>>) -> Result<Peer> {
    told.recv().unwrap_or_else(|_| Err(Error::new(Kind::WorkerLost, "the process for objects has ended")))
}

fn ended(outcome: Outcome) -> Error {
    match outcome {
        Outcome::Returned(_) => Error::new(Kind::WorkerLost, "the process for objects has ended"),
        Outcome::Failed(error) | Outcome::Cancelled(error) | Outcome::Lost(error) => error,
    }
}

fn gone(address: &Address) -> Error {
    Error::new(Kind::PlaceClosed, format!("`{address}` is closed")).at(address).with_retry(Retry::Safe)
}

impl Hosts {
    /// Makes an object in a host.
    fn make(&self, recipe: Recipe) -> Result<Proxy> {
        let host = self.host()?;
        *host.objects.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        Far::new(host.peer.clone()).create(recipe)
    }
}

impl Serve for Handle {
    fn create(&self, recipe: Recipe) -> Result<Proxy> {
        if let Making::Made(object) = recipe.making {
            let class = object.class().to_owned();
            return Err(Error::unsupported(
                &self.address,
                "take an object of this process",
                format!("`publish` the {class}: it stays here and is called from there"),
            ));
        }
        if recipe.restart > 0 { supervised(&self.0, recipe) } else { self.make(recipe) }
    }

    fn publish(&self, name: &str, object: &Proxy) -> Result<()> {
        self.names.publish(name, object)
    }

    fn unpublish(&self, name: &str) -> Result<bool> {
        self.names.unpublish(name)
    }

    fn find(&self, name: &str) -> Result<Proxy> {
        self.names.find(name)
    }

    fn names(&self) -> Result<Vec<String>> {
        self.names.names()
    }
}

impl Deref for Handle {
    type Target = Hosts;

    fn deref(&self) -> &Hosts {
        &self.0
    }
}

/// An object that is made again when its process has died. It stands before the one that does the work, in the process of its
/// place, so those who call it need not hear where that is now.
struct Supervised {
    hosts: Weak<Hosts>,
    recipe: Recipe,
    now: Mutex<Now>,
}

/// The object that does the work now, and how often it may still be made again.
struct Now {
    public: Proxy,
    /// The same for those who have found it by its name.
    exposed: Option<Proxy>,
    left: u32,
}

fn supervised(hosts: &Arc<Hosts>, recipe: Recipe) -> Result<Proxy> {
    let now = Now { public: hosts.make(recipe.clone())?, exposed: None, left: recipe.restart };
    let object = Supervised { hosts: Arc::downgrade(hosts), recipe, now: Mutex::new(now) };
    Proxy::keep(Arc::new(object))
}

impl Supervised {
    /// The object that does the work, made again if it has to be.
    fn now(&self, reach: Reach) -> Result<Proxy> {
        let mut now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        if now.public.is_gone()
            && now.left > 0
            && let Some(hosts) = self.hosts.upgrade()
        {
            let public = hosts.make(self.recipe.clone())?;
            *now = Now { public, exposed: None, left: now.left - 1 };
        }
        if reach == Reach::Public {
            return Ok(now.public.clone());
        }
        let exposed = match &now.exposed {
            Some(exposed) => exposed.clone(),
            None => now.public.exposed()?,
        };
        Ok(now.exposed.insert(exposed).clone())
    }
}

impl Object for Supervised {
    fn ask(&self, request: &Request<'_>) -> Result<Answer> {
        let proxy = self.now(request.reach)?;
        let (verb, method, arguments) =
            (request.verb, request.method.to_owned(), request.arguments.to_owned());
        let (reach, trusted) = (request.reach, request.trusted);
        Ok(Answer::Later(Box::new(move |reply| {
            let (method, arguments) = (method.as_str(), arguments.as_ref());
            proxy.pass_on(&Request { verb, method, arguments, reach, trusted }, reply);
        })))
    }

    fn class(&self) -> &str {
        &self.recipe.class
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Hosts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hosts({} of {})", self.started().len(), self.most)
    }
}
