# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# network: two network namespaces, $net, the container's, and $far, where the other ends of its cables are.

network_setup()
{
	e2e_setup
	net=$c-net far=$c-far
	ip netns add "$net"
	ip netns add "$far"
	ip -n "$net" link set lo up
}

network_teardown()
{
	local id
	for id in $(cd "$ROOT" 2>/dev/null && echo [!@]*); do
		[ ! -e "$ROOT/$id" ] || kata delete --force "$id" >/dev/null 2>&1 || true
	done
	[ "${KATA_KEEP:-}" = 1 ] || ip netns del "$net" 2>/dev/null || true
	[ "${KATA_KEEP:-}" = 1 ] || ip netns del "$far" 2>/dev/null || true
	e2e_teardown
}

# cable NAME N: interface NAME of $net to interface NAME of $far: 10.7.N.2 and fd07:N::2, there .1
cable()
{
	local name=$1 n=$2
	ip -n "$far" link add "$name" type veth peer name plug0
	ip -n "$far" addr add "10.7.$n.1/24" dev "$name"
	ip -n "$far" addr add "fd07:$n::1/64" dev "$name" nodad
	ip -n "$far" link set "$name" up
	# as docker does: moved, then named, then configured
	ip -n "$far" link set plug0 netns "$net"
	ip -n "$net" link set plug0 name "$name"
	ip -n "$net" addr add "10.7.$n.2/24" dev "$name"
	ip -n "$net" addr add "fd07:$n::2/64" dev "$name" nodad
	ip -n "$net" link set "$name" up
}

in_net()
{
	local by='(.linux.namespaces[] | select(.type == "network")).path = "/run/netns/'$net'"'
	# to ping
	echo "$by | .process.capabilities[] += [\"CAP_NET_RAW\"]"
}

# container [FILTER...]: $c in $net, created
container()
{
	sh_bundle b 'echo up; exec sleep 1000' "$(in_net)" "$@"
	create "$c" b
}

up()
{
	kata start "$c"
	wait_output "$c" up
}

guest()
{
	kata exec "$c" "$@" </dev/null
}

far()
{
	timeout 30 ip netns exec "$far" busybox "$@"
}

# the guest's NAME is as the host's, and packets go both ways: reaches NAME N
reaches()
{
	local mac
	mac=$(ip -n "$net" -j link show "$1" | jq -r '.[0].address')
	has "$(guest ip link show "$1")" "$mac"
	guest ping -c 1 -W 5 "10.7.$2.1" >&2
	guest ping -c 1 -W 5 "fd07:$2::1" >&2
	far ping -c 1 -W 5 "10.7.$2.2" >&2
	far ping -c 1 -W 5 "fd07:$2::2" >&2
}

reaches_soon()
{
	eventually 20 guest ip link show "$1"
	eventually 20 reaches "$@"
}

guest_has_no()
{
	! guest ip link show "$1" 2>/dev/null
}

# of what we make in the namespace nothing is there
clean()
{
	equal "$(ip -n "$net" -o link | grep -c kata)" 0
	equal "$(tc -n "$net" qdisc show | grep -E 'ingress|clsact')" ""
}

# the engine's side of interface $1 as it was made: cable $2
untouched()
{
	has "$(ip -n "$net" addr show "$1")" "10.7.$2.2/24"
	has "$(ip -n "$net" addr show "$1")" "fd07:$2::2/64"
	has "$(ip -n "$net" link show "$1")" ",UP"
	far ping -c 1 -W 5 "10.7.$2.2" >&2
}

# resolver NAME NETNS ADDRESS...: runs until the test ends, says what it is asked in $T/NAME
resolver()
{
	local name=$1 ns=$2
	shift 2
	timeout 300 python3 "$e2e_dir/resolver.py" "/run/netns/$ns" "$@" >"$T/$name" 2>&1 3>&- &
	eventually 10 grep -q ready "$T/$name"
}
