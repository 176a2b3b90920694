from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.addresses import is_public, literal_address, private_host

PUBLIC = [
    "1.1.1.1",
    "8.8.8.8",
    "9.255.255.255",
    "11.0.0.0",
    "100.63.255.255",
    "100.128.0.0",
    "126.255.255.255",
    "128.0.0.0",
    "168.63.129.15",
    "169.253.255.255",
    "169.255.0.0",
    "172.15.255.255",
    "172.32.0.0",
    "192.0.1.0",
    "192.167.255.255",
    "192.169.0.0",
    "198.17.255.255",
    "198.20.0.0",
    "223.255.255.255",
    "2606:4700:4700::1111",
    "2001:200::",
    "2001:4860:4860::8888",
    "2a00:1450:4001::1",
    "::ffff:8.8.8.8",
    "64:ff9b::808:808",
]
NETWORKS = [
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "168.63.129.16/32",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.88.99.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/4",
    "240.0.0.0/4",
    "255.255.255.255/32",
]
NETWORKS_V6 = [
    "::/128",
    "::1/128",
    "::/96",  # IPv4-compatible
    "64:ff9b:1::/48",
    "100::/64",  # discard
    "2001::/32",  # Teredo
    "2001:2::/48",  # benchmarks
    "2001:10::/28",
    "2001:20::/28",
    "2001:db8::/32",
    "2002::/16",
    "3fff::/20",
    "4000::/3",
    "5f00::/16",
    "fc00::/7",
    "fe80::/10",
    "fec0::/10",
    "ff00::/8",
]
LOOPBACK = [
    "127.0.0.1",
    "127.0.0.1.",
    "127.0.0.1...",
    "127.1",
    "127.0.1",
    "2130706433",
    "0x7f000001",
    "0X7F000001",
    "0x7f.1",
    "0x7f.0.0.0x1",
    "0177.0.0.1",
    "017700000001",
    "0177.1",
    "00000177.0.0.1",
    "0x00000000000000000000000000000007f.1",
    "１２７.０.０.１",
    "127。0。0。1",
    "127．0．0．1",
    "127｡0｡0｡1",
    "①②⑦.⓪.⓪.①",
    "127.0.0.1\u200b",
    "127\u00ad.1",
    "%31%32%37.0.0.1",
    "%3127.1",
    "127.0.0.1 x",
    " 127.0.0.1",
]
LOOPBACK_V6 = {
    "[::1]": "::1",
    "::1": "::1",
    "[0:0:0:0:0:0:0:1]": "::1",
    "[::1].": "::1",
    "[::127.0.0.1]": "::7f00:1",
    "[::ffff:127.0.0.1]": "::ffff:7f00:1",
    "[::ffff:7f00:1]": "::ffff:7f00:1",
    "[0:0:0:0:0:FFFF:7F00:0001]": "::ffff:7f00:1",
    "[64:ff9b::7f00:1]": "64:ff9b::7f00:1",
    "[64:ff9b:1::7f00:1]": "64:ff9b:1::7f00:1",
    "[2002:7f00:1::]": "2002:7f00:1::",
    "[fe80::1%25eth0]": "fe80::1%eth0",
    "[::1%lo]": "::1%lo",
}


@pytest.mark.parametrize("address", PUBLIC)
def test_an_address_of_a_stranger_is_public(address: str) -> None:
    """What lies beside a special network is let pass."""
    assert is_public(address)
    assert private_host(address) is None


@given(network=st.sampled_from(NETWORKS), data=st.data())
def test_every_address_of_a_special_network_is_refused(
    network: str, data: st.DataObject
) -> None:
    """No IPv4 address of a listed network passes, plain or wrapped in IPv6."""
    nets = IPv4Network(network)
    first, last = int(nets[0]), int(nets[-1])
    number = data.draw(st.integers(first, last) | st.sampled_from((first, last)))
    address = str(IPv4Address(number))
    assert not is_public(address)
    for prefix in ("::ffff:", "::", "64:ff9b::", "64:ff9b:1::"):
        assert not is_public(f"{prefix}{address}")
        assert private_host(f"[{prefix}{address}]") is not None
    high, low = number >> 16, number & 0xFFFF
    assert not is_public(f"2002:{high:x}:{low:x}::1")
    assert not is_public(f"2001:0:{high:x}:{low:x}::1")


@given(network=st.sampled_from(NETWORKS_V6), data=st.data())
def test_every_address_of_a_special_ipv6_network_is_refused(
    network: str, data: st.DataObject
) -> None:
    """No IPv6 address of a listed network passes, with a zone or without."""
    nets = IPv6Network(network)
    first, last = int(nets[0]), int(nets[-1])
    number = data.draw(st.integers(first, last) | st.sampled_from((first, last)))
    address = str(IPv6Address(number))
    assert not is_public(address)
    assert not is_public(f"{address}%eth0")


@pytest.mark.parametrize(
    "address",
    ["169.254.169.254", "fd00:ec2::254", "100.100.100.200", "192.0.0.192"],
)
def test_a_clouds_metadata_is_refused(address: str) -> None:
    """Where clouds give out credentials nothing is ever fetched."""
    assert not is_public(address)


@pytest.mark.parametrize(
    "text", ["", "example.com", "127.1", "1.2.3", "::g", "2000::%"]
)
def test_what_is_no_address_is_not_public(text: str) -> None:
    """A text that is no address in its one spelling never passes as one."""
    assert not is_public(text)


@pytest.mark.parametrize("host", LOOPBACK)
def test_every_spelling_of_loopback_is_read(host: str) -> None:
    """However 127.0.0.1 is written, it is read as that and refused."""
    assert literal_address(host) == "127.0.0.1"
    assert private_host(host) == "127.0.0.1"


@pytest.mark.parametrize(("host", "address"), LOOPBACK_V6.items())
def test_every_ipv6_spelling_is_read(host: str, address: str) -> None:
    """IPv6 that leads here is read with and without brackets, and refused."""
    assert literal_address(host) == address
    assert private_host(host) == address


@given(number=st.integers(0, 2**32 - 1), data=st.data())
def test_every_form_of_an_address_is_the_same(number: int, data: st.DataObject) -> None:
    """Any mixture of bases and any number of parts gives the address back."""
    count = data.draw(st.integers(1, 4))
    raw = number.to_bytes(4, "big")
    parts = [*raw[: count - 1], int.from_bytes(raw[count - 1 :], "big")]
    forms = st.sampled_from(("{}", "{:#x}", "0{:o}", "0x000{:X}", "000{:o}"))
    host = ".".join(data.draw(forms).format(part) for part in parts)
    assert literal_address(host) == str(IPv4Address(number))


@pytest.mark.parametrize(
    "host",
    [
        "",
        ".",
        "example.com",
        "127.0.0.1.example.com",
        "1.2.3.4.5",
        "256.0.0.1.",
        "4294967296",
        "127.0.0.256",
        "1.16777216",
        "0x7g.1",
        "٣.1",
        "127..1",
        "::g",
        "1" * 8000,
        "xn--fiqs8s",
    ],
)
def test_a_name_is_no_address(host: str) -> None:
    """What no resolver takes for an address is left to a look-up."""
    assert literal_address(host) is None
    assert private_host(host) is None


def test_a_spelling_that_is_read_in_two_ways_is_refused_by_either() -> None:
    """010.0.0.1 is 8.0.0.1 to some and 10.0.0.1 to others; the worse one counts."""
    assert literal_address("010.0.0.1") == "8.0.0.1"
    assert private_host("010.0.0.1") == "10.0.0.1"
    assert private_host("127.0.0.08") == "127.0.0.8"


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "LOCALHOST.",
        "a.localhost",
        "ｌocalhost",
        "printer.local",
        "metadata.google.internal",
        "box.home.arpa",
    ],
)
def test_a_name_that_is_private_by_its_standard_is_refused(host: str) -> None:
    """Names reserved for this host and its network need no look-up."""
    assert literal_address(host) is None
    assert private_host(host) is not None


@pytest.mark.parametrize("host", ["notlocalhost", "local.example", "internal.example"])
def test_a_name_that_only_looks_so_is_not(host: str) -> None:
    """Only whole labels at the end count."""
    assert private_host(host) is None
