//! Proofs: that a peer knows a ticket's secret, in this conversation and no other.

use super::KeyHash;
use super::ticket::ProofKey;
use crate::wire::admission::Proof;
use ring::hmac;

/// What makes a conversation this one: a value that only its two ends can compute (RFC 8446, section 7.5; RFC 9266 says
/// why), and who they are. A proof that was made for another is worth nothing here.
#[derive(Clone, Debug)]
pub(crate) struct Bound {
    pub(crate) exported: [u8; 32],
    pub(crate) client: KeyHash,
    pub(crate) server: KeyHash,
}

/// Who proves it: a proof that is sent back to its maker is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Client,
    Server,
}

impl ProofKey {
    pub(crate) fn prove(&self, role: Role, bound: &Bound) -> Proof {
        let proof = hmac::sign(&self.key(), &said(role, bound));
        proof.as_ref().try_into().expect("HMAC-SHA256 has 32 bytes")
    }

    /// Takes the same time whatever the proof is.
    pub(crate) fn is_proved(&self, proof: &Proof, role: Role, bound: &Bound) -> bool {
        hmac::verify(&self.key(), &said(role, bound), proof).is_ok()
    }

    fn key(&self) -> hmac::Key {
        hmac::Key::new(hmac::HMAC_SHA256, &self.0)
    }
}

/// Every part has a fixed length, so no two conversations say the same.
fn said(role: Role, bound: &Bound) -> Vec<u8> {
    let role = match role {
        Role::Client => b"client",
        Role::Server => b"server",
    };
    [&role[..], &bound.exported, bound.client.as_bytes(), bound.server.as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proof_holds_for_its_role_and_conversation_alone() {
        let (key, other) = (ProofKey([1; 32]), ProofKey([2; 32]));
        let hash = |text: &[u8]| KeyHash::of_spki(text);
        let bound = Bound { exported: [3; 32], client: hash(b"client"), server: hash(b"server") };
        let proof = key.prove(Role::Client, &bound);
        assert!(key.is_proved(&proof, Role::Client, &bound));
        assert!(!other.is_proved(&proof, Role::Client, &bound));
        assert!(!key.is_proved(&proof, Role::Server, &bound), "reflected");
        let elsewhere = [
            Bound { exported: [4; 32], ..bound.clone() },
            Bound { client: hash(b"mallory"), ..bound.clone() },
            Bound { server: hash(b"mallory"), ..bound.clone() },
            Bound { client: bound.server, server: bound.client, ..bound.clone() },
        ];
        assert!(elsewhere.iter().all(|bound| !key.is_proved(&proof, Role::Client, bound)), "relayed");
    }
}
