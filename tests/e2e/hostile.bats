#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# hostile: a container with CAP_NET_RAW that sends whatever it wants. What it sends leaves by its interface
# and nowhere else, and who serves it has other things to do.

load helpers
load network

setup()
{
	network_setup
	gcc -O2 -static -Wall -o "$T/flood" "$e2e_dir/flood.c"
}

teardown()
{
	network_teardown
}

flooding_container()
{
	sh_bundle b 'echo up; exec sleep 1000' "$(in_net)" "$@"
	cp "$T/flood" "$T/b/rootfs/bin/flood"
	create "$c" b
	up
	sandbox=$(record "$c" .sandbox.pid)
}

# flood KIND SECONDS: in the background; what it sent is in $T/KIND
flood()
{
	kata exec "$c" flood "$1" "$2" </dev/null >"$T/$1" 2>&1 &
	flood=$!
}

# flood_ends KIND: it sent something
flood_ends()
{
	wait "$flood"
	has "$(cat "$T/$1")" " sent"
	[ "$(awk '{ print $2 }' "$T/$1")" -gt 1000 ]
}

# ms COMMAND...: how long it takes, in milliseconds
ms()
{
	local begin=${EPOCHREALTIME/./}
	"$@" >/dev/null </dev/null
	echo $(((${EPOCHREALTIME/./} - begin) / 1000))
}

# processor time of the sandbox, in hundredths of a second
ticks()
{
	awk '{ print $14 + $15 }' "/proc/$sandbox/stat"
}

# what the namespace's own stack has been given by its interfaces
received()
{
	ip netns exec "$net" awk '$1 == "Ip:" && $3 ~ /^[0-9]/ { v4 = $4 } $1 == "Ip6InReceives" { v6 = $2 }
		END { print v4 + v6 }' /proc/net/snmp /proc/net/snmp6
}

# answers_promptly: whoever asks for the state, or for a program to run, does not wait for the flood
answers_promptly()
{
	local took
	for _ in 1 2 3; do
		took=$(ms kata state "$c")
		[ "$took" -lt 2000 ] || fail "state took $took ms"
	done
}

@test "garbage, spoofed addresses and answers, invented neighbours: nothing of it is taken in" {
	local kind before
	cable eth0 1
	flooding_container
	reaches eth0 1
	for kind in garbage spoof arp; do
		before="$(received) $(ip -n "$net" -o neigh)"
		spent=$(ticks)
		flood $kind 5
		answers_promptly
		flood_ends $kind
		spent=$(($(ticks) - spent))
		equal "$(received) $(ip -n "$net" -o neigh)" "$before"
		# frames do not pass through it
		[ $spent -lt 25 ] || fail "$kind: the sandbox took $spent hundredths of a second"
	done
	# the other end of the cable has had them: that far it may send
	[ "$(ip -n "$far" -j -s link show eth0 | jq '.[0].stats64.rx.packets')" -gt 3000 ]
	ip -n "$far" neigh flush all # it believed them, as of any container that may do this
	reaches eth0 1
	# a flood ends with the container, at once
	flood spoof 60
	sleep 1
	took=$(ms kata kill "$c" KILL)
	[ "$took" -lt 3000 ] || fail "kill took $took ms"
	wait_stopped "$c"
	wait "$flood" || true
	kata delete "$c"
	clean
	untouched eth0 1
}

@test "a flood of DNS: bounded, answered again afterwards" {
	local memory
	cable eth0 1
	echo 'nameserver 127.0.0.11' >"$T/resolv.conf"
	resolver inner "$net" 127.0.0.11 inside.test=10.7.1.77
	flooding_container '.mounts += [{"destination": "/etc/resolv.conf", "type": "bind",
		"source": "'"$T"'/resolv.conf", "options": ["bind", "ro"]}]'
	has "$(guest nslookup inside.test)" 10.7.1.77
	memory=$(awk '/^VmRSS/ { print $2 }' "/proc/$sandbox/status")
	flood dns 5
	answers_promptly
	equal "$(guest echo here)" here
	[ "$(find "/proc/$sandbox/fd" | wc -l)" -lt 400 ]
	flood_ends dns
	# 128 relays with both their buffers
	memory=$(($(awk '/^VmRSS/ { print $2 }' "/proc/$sandbox/status") - memory))
	[ $memory -lt 8192 ] || fail "the sandbox has $memory kB more"
	eventually 20 eval 'guest nslookup inside.test | grep -q 10.7.1.77'
	reaches eth0 1
}
