//! Datagrams to many at once.

use super::Datagram;
use crate::error::Result;
use rustix::net::netdevice::name_to_index;
use rustix::net::sockopt::{
    set_ip_add_membership_with_ifindex, set_ip_drop_membership_with_ifindex,
    set_ip_multicast_if_with_ifindex, set_ip_multicast_loop, set_ip_multicast_ttl, set_ipv6_add_membership,
    set_ipv6_drop_membership, set_ipv6_multicast_hops, set_ipv6_multicast_if, set_ipv6_multicast_loop,
};
use std::io;
use std::net::{IpAddr, Ipv4Addr};

/// Multicast: datagrams to all who have joined a group. An interface is named as `ip link` does, or by its number; without
/// one the system chooses.
///
/// ```
/// use anyplace::net::{Datagram, Options, Party, bind_with};
///
/// let member = bind_with("udp://0.0.0.0:0", &Options::default())?;
/// member.join("239.1.2.3".parse().unwrap(), Some("lo"))?;
/// # Ok::<(), anyplace::Error>(())
/// ```
impl Datagram {
    /// Receives what is sent to a group, too.
    ///
    /// # Errors
    /// `ConfigInvalid` if this is no group, or there is no such interface.
    pub fn join(&self, group: IpAddr, interface: Option<&str>) -> Result<()> {
        self.member(group, interface, true).map_err(|error| self.told(error, "join a group at"))
    }

    /// Receives no more of what is sent to a group.
    ///
    /// # Errors
    /// As [`join`](Self::join).
    pub fn leave(&self, group: IpAddr, interface: Option<&str>) -> Result<()> {
        self.member(group, interface, false).map_err(|error| self.told(error, "leave a group at"))
    }

    /// By which interface to send to groups, how many routers may pass it on (1 is none but the next network), and whether
    /// members on this machine get it, too.
    ///
    /// # Errors
    /// `ConfigInvalid` if there is no such interface.
    pub fn set_multicast(&self, interface: Option<&str>, hops: u8, is_heard_here: bool) -> Result<()> {
        let set = || match self.is_v6()? {
            true => {
                set_ipv6_multicast_if(&self.fd, self.index(interface)?)?;
                set_ipv6_multicast_hops(&self.fd, hops.into())?;
                set_ipv6_multicast_loop(&self.fd, is_heard_here)
            }
            false => {
                let (any, index) = (Ipv4Addr::UNSPECIFIED, self.index(interface)?);
                set_ip_multicast_if_with_ifindex(&self.fd, &any, &any, index)?;
                set_ip_multicast_ttl(&self.fd, hops.into())?;
                set_ip_multicast_loop(&self.fd, is_heard_here)
            }
        };
        set().map_err(|errno: rustix::io::Errno| self.told(errno.into(), "set multicast of"))
    }

    fn member(&self, group: IpAddr, interface: Option<&str>, joins: bool) -> io::Result<()> {
        let index = self.index(interface)?;
        let any = Ipv4Addr::UNSPECIFIED;
        let set = match (group, joins) {
            (IpAddr::V4(group), true) => set_ip_add_membership_with_ifindex(&self.fd, &group, &any, index),
            (IpAddr::V4(group), false) => set_ip_drop_membership_with_ifindex(&self.fd, &group, &any, index),
            (IpAddr::V6(group), true) => set_ipv6_add_membership(&self.fd, &group, index),
            (IpAddr::V6(group), false) => set_ipv6_drop_membership(&self.fd, &group, index),
        };
        Ok(set?)
    }

    fn index(&self, interface: Option<&str>) -> Result<u32, rustix::io::Errno> {
        match interface {
            None => Ok(0),
            Some(name) => name.parse().or_else(|_| name_to_index(&self.fd, name)),
        }
    }

    fn is_v6(&self) -> Result<bool, rustix::io::Errno> {
        Ok(rustix::net::getsockname(&self.fd)?.address_family() == rustix::net::AddressFamily::INET6)
    }
}
