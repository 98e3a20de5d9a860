# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# hook: the stage for kata-hook-net. A process in network and mount namespaces of its own plays
# the host, one in another network the world outside, behind the host's link up0; processes
# in their own network namespaces are the containers. The world has no route to
# containers: what comes back from it came by NAT.

stage_setup()
{
	e2e_setup
	hook=${KATA_LIBEXEC:-${KATA_PREFIX:-/usr/local}/libexec/kata}/kata-hook-net
	[ -x "$hook" ] || fail "no $hook; set KATA_LIBEXEC"
	state=$T/state
	options=(--dns 192.0.2.2)
	holder --mount
	host=$!
	holder --mount
	world=$!
	eventually 20 holds "$host"
	eventually 20 holds "$world"
	ip link add up0 netns "$host" mtu 1400 type veth peer name w0 netns "$world"
	wire "$host" up0 192.0.2.1/24 2001:db8::1/64 192.0.2.2 2001:db8::2
	wire "$world" w0 192.0.2.2/24 2001:db8::2/64
	inside "$host" sysctl -qw net.ipv4.ip_forward=0 net.ipv6.conf.all.forwarding=0
}

# holder OPTION...: a process with a network namespace, and what OPTIONs of unshare say; $!
holder()
{
	unshare --net "$@" sleep 900 </dev/null >/dev/null 2>&1 3>&- &
}

holds()
{
	[ "$(cat "/proc/$1/comm")" = sleep ]
}

# inside HOLDER COMMAND...: in its namespaces
inside()
{
	local pid=$1
	shift
	timeout -k 5 60 nsenter -t "$pid" --net --mount -- "$@" 3>&-
}

in_host()
{
	inside "$host" "$@"
}

# wire HOLDER LINK ADDRESS ADDRESS6 [GATEWAY GATEWAY6]
wire()
{
	inside "$1" ip link set lo up
	inside "$1" ip link set "$2" up
	inside "$1" ip addr add "$3" dev "$2"
	inside "$1" ip addr add "$4" dev "$2" nodad
	[ -z "${5:-}" ] || inside "$1" ip route add default via "$5"
	[ -z "${6:-}" ] || inside "$1" ip route add default via "$6"
}

# container NAME: its process is $T/NAME.cpid, its bundle $T/NAME
container()
{
	holder --mount
	echo $! >"$T/$1.cpid"
	eventually 20 holds $!
	mkdir -p "$T/$1/rootfs"
}

# in_container_of NAME COMMAND...
in_c()
{
	inside "$(cat "$T/$1.cpid")" "${@:2}"
}

end_container()
{
	kill -9 "$(cat "$T/$1.cpid")"
	eventually 20 gone "$(cat "$T/$1.cpid")"
}

# hook_state NAME STATUS PID
hook_state()
{
	jq -n --arg id "$c-$1" --arg s "$2" --argjson pid "$3" --arg b "$T/$1" \
		'{ociVersion: "1.0.2", id: $id, status: $s, pid: $pid, bundle: $b, rootfs: ($b + "/rootfs")}'
}

# created NAME [OPTION...]: the hook as createRuntime; without options of its own $options
created()
{
	local name=$1
	shift
	hook_state "$name" created "$(cat "$T/$name.cpid")" |
		in_host "$hook" --state "$state" "${options[@]}" "$@"
}

# stopped NAME [OPTION...]: as poststop
stopped()
{
	local name=$1
	shift
	hook_state "$name" stopped 0 | in_host "$hook" --state "$state" "$@"
}

# hooks_filter [OPTION...]: puts both hooks into a config.json
hooks_filter()
{
	local args
	args=$(printf '%s\n' kata-hook-net --state "$state" "${options[@]}" "$@" | jq -R . | jq -cs .)
	printf '.hooks = { createRuntime: [{ path: "%s", args: %s }], poststop: [{ path: "%s", args: %s }] }' \
		"$hook" "$args" "$hook" "$args"
}

# refused TEXT COMMAND...: it fails with one line that has TEXT
refused()
{
	local text=$1 status=0
	shift
	"$@" >"$T/out" 2>"$T/err" || status=$?
	cat "$T/err"
	equal "$status" 1
	equal "$(wc -l <"$T/err")" 1
	has "$(cat "$T/err")" "$text"
}

# what the host has of the hook's making
made()
{
	in_host ip -o link | awk -F': ' '{ sub(/@.*/, "", $2); print "link " $2 }' | grep -vE ' (lo|up0)$'
	in_host nft list tables | sed 's/^/nft /'
	in_host ip route | grep -v ' dev up0'
	find "$state" 2>/dev/null | sed 's/^/file /'
	in_host cat /proc/sys/net/ipv4/ip_forward /proc/sys/net/ipv6/conf/all/forwarding | grep -v '^0$'
	true
}

nothing_made()
{
	equal "$(made)" ""
}

addr_of()
{
	in_c "$1" ip -o -4 addr show dev eth0 | awk '{ print $4 }'
}

pings()
{
	in_c "$1" busybox ping -c 1 -W 5 "$2" >/dev/null || fail "$1 cannot reach $2"
}

# serve HOLDER TEXT PORT: a web server with that text, ready
serve()
{
	mkdir -p "$T/www.$2"
	echo "$2" >"$T/www.$2/index.html"
	nsenter -t "$1" --net --mount -- busybox httpd -f -p "$3" -h "$T/www.$2" </dev/null >/dev/null 2>&1 3>&- &
	eventually 20 listens "$1" "$3"
}

listens()
{
	[ -n "$(inside "$1" ss -Hltn "sport = :$2")" ]
}

# fetched HOLDER URL
fetched()
{
	inside "$1" python3 -c 'import sys, urllib.request as u
print(u.build_opener(u.ProxyHandler({})).open(sys.argv[1], timeout=5).read().decode(), end="")' "$2"
}
