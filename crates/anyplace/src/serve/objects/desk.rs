//! What each process can be asked beside its objects: to make one, to find one by its name, whom it knows.

use super::conversation::Conversation;
use super::door::Hint;
use super::here::Node;
use super::proxy::Proxy;
use super::{DESK, typed};
use crate::driver::{Making, Recipe, Serve};
use crate::error::{Error, Kind, Result};
use crate::peer::Peer;
use crate::wire::peer::NodeId;
use crate::wire::peer::objects::{self as messages, Call, ObjectId, Verb};
use crate::work::{Bytes, Encoding, Payload, PayloadRef};
use serde::{Deserialize, Serialize};
use std::sync::mpsc;

/// An object as it is spoken of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Card {
    node: u128,
    number: u64,
    pub(super) hint: Option<Hint>,
    pub(super) class: String,
}

impl Card {
    pub(super) fn new(id: ObjectId, hint: Option<Hint>, class: String) -> Self {
        Self { node: id.node.0, number: id.number, hint, class }
    }

    /// The same, of an object that is found only by those who are known already.
    fn without_hint(self) -> Self {
        Self { hint: None, ..self }
    }

    pub(super) fn id(&self) -> ObjectId {
        ObjectId { node: NodeId(self.node), number: self.number }
    }
}

#[derive(Debug, Serialize, Deserialize)]
enum Wanted {
    Create(Order),
    Publish(String, Card),
    Unpublish(String),
    Find(String),
    Names,
    Knows(u128),
    Expose(u64),
}

/// An object that is to be made.
#[derive(Debug, Serialize, Deserialize)]
struct Order {
    encoding: u8,
    bytes: Vec<u8>,
    buffers: Vec<Vec<u8>>,
    class: String,
    exclusive: bool,
    restart: u32,
}

#[derive(Debug, Serialize, Deserialize)]
enum Given {
    Object(Card),
    Names(Vec<String>),
    Whether(bool),
}

/// What is asked of this process, answered for who has asked on that conversation.
pub(super) fn answer(
    node: &std::sync::Arc<Node>,
    serve: Option<&dyn Serve>,
    by: &Conversation,
    asked: PayloadRef<'_>,
) -> Result<Payload> {
    let serve = || serve.ok_or_else(nothing_here);
    let keep = |proxy: Proxy| {
        by.keep(&proxy);
        Given::Object(proxy.card())
    };
    let given = match typed::decode(asked, "a wish")? {
        Wanted::Create(order) if by.is_trusted() => {
            by.check_objects()?;
            keep(serve()?.create(order.recipe()?)?)
        }
        Wanted::Create(_) => return Err(may_not_create()),
        Wanted::Publish(name, card) => {
            by.check_names()?;
            let card = if by.gives_hints() { card } else { card.without_hint() };
            let proxy = Proxy::of_card(node, &card, false)?;
            if !proxy.is_known() {
                return Err(out_of_reach(&name));
            }
            serve()?.publish(&name, &proxy)?;
            by.published(name, proxy);
            Given::Whether(true)
        }
        Wanted::Unpublish(name) if !by.may_unpublish(&name) => return Err(may_not_unpublish(&name)),
        Wanted::Unpublish(name) => {
            by.unpublished(&name);
            Given::Whether(serve()?.unpublish(&name)?)
        }
        Wanted::Find(name) => {
            by.check_objects()?;
            keep(serve()?.find(&name)?)
        }
        Wanted::Names => Given::Names(serve()?.names()?),
        Wanted::Knows(other) => Given::Whether(node.known(NodeId(other)).is_some()),
        Wanted::Expose(number) => {
            by.check_objects()?;
            let entry = node.table.get(number).ok_or_else(super::conversation::no_more)?;
            keep(node.add(entry.exposed())?)
        }
    };
    typed::encode(&given)
}

impl Order {
    fn recipe(self) -> Result<Recipe> {
        let encoding = Encoding::from_number(self.encoding)
            .ok_or_else(|| Error::new(Kind::NotSerializable, "an object is to be made of unknown bytes"))?;
        let buffers = self.buffers.into_iter().map(Bytes::from).collect();
        let making = Making::Encoded(Payload { encoding, bytes: self.bytes.into(), buffers });
        Ok(Recipe { making, class: self.class, exclusive: self.exclusive, restart: self.restart })
    }
}

fn out_of_reach(name: &str) -> Error {
    Error::new(
        Kind::NotFound,
        format!("the object that is to be `{name}` is in a process that is not reached from here"),
    )
    .during("publish")
    .with_help("publish objects of the process itself that has opened the place")
}

fn may_not_create() -> Error {
    Error::new(Kind::PermissionDenied, "making an object runs code, which this caller may not")
        .during("create")
        .with_help("ask for a ticket whose scope has `run`")
}

fn may_not_unpublish(name: &str) -> Error {
    Error::new(
        Kind::PermissionDenied,
        format!("`{name}` is another's, and this caller may take away only its own"),
    )
    .during("unpublish")
    .with_help("ask for a ticket whose scope has `run`")
}

fn nothing_here() -> Error {
    Error::new(Kind::Unsupported, "the process at the other end makes and names no objects")
        .with_help("ask a place: one that this process has opened, or that another offers")
}

/// The desk of another process.
#[derive(Clone, Debug)]
pub(crate) struct Far(Peer);

impl Far {
    pub(crate) fn new(peer: Peer) -> Self {
        Self(peer)
    }

    fn ask(&self, wanted: &Wanted) -> Result<Given> {
        let arguments = typed::encode(wanted)?;
        let object = ObjectId { node: NodeId(0), number: DESK };
        let chain = super::chain::current().number;
        let (tell, told) = mpsc::channel();
        let question = |question| {
            let (verb, method, arguments) = (Verb::Call, "", arguments.as_ref());
            Call { question, object, verb, chain, within: None, method, arguments }.frame()
        };
        self.0.ask(question, move |answer| {
            let read = |bytes: &[u8]| messages::read_answer_bytes(bytes).map_err(|_| unreadable());
            // Whoever has asked waits for it.
            drop(tell.send(answer.and_then(read)));
        });
        let (value, _) = told.recv().map_err(|_| unreadable())??;
        typed::decode(value.as_ref(), "an answer")
    }

    fn object(&self, wanted: &Wanted) -> Result<Proxy> {
        match self.ask(wanted)? {
            Given::Object(card) => Proxy::of_card(&super::here()?, &card, true),
            _ => Err(unreadable()),
        }
    }

    fn whether(&self, wanted: &Wanted) -> Result<bool> {
        if let Given::Whether(whether) = self.ask(wanted)? { Ok(whether) } else { Err(unreadable()) }
    }

    pub(super) fn knows(&self, node: NodeId) -> Result<bool> {
        self.whether(&Wanted::Knows(node.0))
    }

    pub(super) fn expose(&self, proxy: &Proxy) -> Result<Proxy> {
        self.object(&Wanted::Expose(proxy.id().number))
    }
}

impl Serve for Far {
    fn create(&self, recipe: Recipe) -> Result<Proxy> {
        let Making::Encoded(payload) = recipe.making else {
            return Err(Error::new(Kind::NotSerializable, "an object of this process cannot go to another")
                .with_help("publish it: then it stays here, and is called from there"));
        };
        self.object(&Wanted::Create(Order {
            encoding: payload.encoding as u8,
            bytes: payload.bytes.to_vec(),
            buffers: payload.buffers.iter().map(|bytes| bytes.to_vec()).collect(),
            class: recipe.class,
            exclusive: recipe.exclusive,
            restart: recipe.restart,
        }))
    }

    fn publish(&self, name: &str, object: &Proxy) -> Result<()> {
        object.held().lend();
        self.whether(&Wanted::Publish(name.to_owned(), object.card())).map(drop)
    }

    fn unpublish(&self, name: &str) -> Result<bool> {
        self.whether(&Wanted::Unpublish(name.to_owned()))
    }

    fn find(&self, name: &str) -> Result<Proxy> {
        self.object(&Wanted::Find(name.to_owned()))
    }

    fn names(&self) -> Result<Vec<String>> {
        if let Given::Names(names) = self.ask(&Wanted::Names)? { Ok(names) } else { Err(unreadable()) }
    }
}

fn unreadable() -> Error {
    Error::new(Kind::Unexpected, "the other end answered something else than it was asked")
}

#[cfg(test)]
mod tests {
    use super::super::conversation::Rights;
    use super::super::door::Door;
    use super::super::here::here;
    use super::super::names::Names;
    use super::*;
    use std::io::ErrorKind;
    use std::time::{Duration, Instant};

    /// Publishes an object that is said to be behind this door.
    fn publish(door: &Door, rights: Rights) -> Error {
        let node = here().unwrap();
        let names = Names::new("threads:");
        let node_behind = NodeId(u128::from_ne_bytes(crate::random::bytes().unwrap()));
        let id = ObjectId { node: node_behind, number: 7 };
        let card = Card::new(id, Some(door.hint()), "Bait".to_owned());
        let asked = typed::encode(&Wanted::Publish("bait".to_owned(), card)).unwrap();
        let by = Conversation::new(&node, rights);
        let refusal = answer(&node, Some(&*names), &by, asked.as_ref()).unwrap_err();
        assert!(names.names().unwrap().is_empty());
        refusal
    }

    #[test]
    fn a_client_with_a_ticket_makes_the_server_connect_nowhere() {
        let door = Door::open().unwrap();
        let refusal = publish(&door, Rights { trusted: true, forwards: true, ..Rights::default() });
        assert_eq!(refusal.kind(), Kind::NotFound);
        assert_eq!(
            door.listener.try_accept().unwrap_err().kind(),
            ErrorKind::WouldBlock,
            "somebody has come"
        );
    }

    #[test]
    fn a_process_of_the_same_user_is_believed_where_others_are() {
        let door = Door::open().unwrap();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                door.listener.accept(Some(Instant::now() + Duration::from_secs(20))).unwrap().abort();
            });
            assert_eq!(publish(&door, Rights::of_same_user()).kind(), Kind::NotFound);
        });
    }
}
