#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# hook: kata-hook-net, without VMs, on the stage of hook.bash.

load helpers
load hook

setup()
{
	stage_setup
}

teardown()
{
	e2e_teardown
}

# --- a network and its end ----------------------------------------------------------------------

@test "hook: a container reaches the world, and nothing is left of it" {
	container a
	created a
	equal "$(addr_of a)" 10.94.0.2/16
	equal "$(in_c a ip route | head -n 1 | sed 's/ *$//')" 'default via 10.94.0.1 dev eth0 proto static'
	has "$(in_c a ip -o link show eth0)" 'mtu 1400'
	pings a 10.94.0.1
	pings a 192.0.2.2
	equal "$(in_host cat /proc/sys/net/ipv4/ip_forward)" 1
	equal "$(cat "$T/a/rootfs/etc/resolv.conf" | tail -n +2)" 'nameserver 192.0.2.2'
	end_container a
	stopped a
	nothing_made
	[ ! -e "$T/a/rootfs/etc/resolv.conf" ] || fail "resolv.conf is left"
	# again: nothing to do is no error
	stopped a
	nothing_made
}

@test "hook: several containers reach each other; the last takes the bridge along" {
	for n in a b c; do
		container $n
		created $n
	done
	equal "$(addr_of a) $(addr_of b) $(addr_of c)" '10.94.0.2/16 10.94.0.3/16 10.94.0.4/16'
	pings a 10.94.0.4
	end_container b
	stopped b
	pings c 10.94.0.2
	pings c 192.0.2.2
	# the lowest address that is free, and its MAC address with it
	container d
	created d
	equal "$(addr_of d)" 10.94.0.3/16
	pings a 10.94.0.3
	has "$(in_c d ip -o link show eth0)" 02:4b:0a:5e:00:03
	for n in a c d; do
		end_container $n
		stopped $n
	done
	nothing_made
}

@test "hook: twelve at once have twelve addresses, and leave nothing at once" {
	local n pids=() all
	for n in $(seq 12); do container "n$n"; done
	for n in $(seq 12); do
		created "n$n" &
		pids+=($!)
	done
	for n in "${pids[@]}"; do wait "$n"; done
	all=$(for n in $(seq 12); do addr_of "n$n"; done | sort -u)
	equal "$(wc -l <<<"$all")" 12
	for n in $(seq 12); do pings "n$n" 192.0.2.2; done
	for n in $(seq 12); do end_container "n$n"; done
	pids=()
	for n in $(seq 12); do
		stopped "n$n" &
		pids+=($!)
	done
	for n in "${pids[@]}"; do wait "$n"; done
	nothing_made
}

@test "hook: IPv6 as well" {
	container a
	created a --subnet 10.7.0.0/24 --subnet6 fd07::/64 --mtu 1300
	equal "$(addr_of a)" 10.7.0.2/24
	has "$(in_c a ip -o -6 addr show dev eth0)" fd07::2/64
	has "$(in_c a ip -o link show eth0)" 'mtu 1300'
	pings a fd07::1
	pings a 2001:db8::2
	end_container a
	stopped a
	nothing_made
}

@test "hook: two bridges; the same subnet only once" {
	container a
	container b
	container d
	created a
	created b --bridge other
	equal "$(addr_of b)" 10.95.0.2/16
	refused 'overlaps 10.94.0.0/16, to which this host has a route already' \
		created d --bridge third --subnet 10.94.3.0/24
	refused '--subnet: 192.0.0.0/16 overlaps 192.0.2.0/24' created d --bridge third --subnet 192.0.0.0/16
	refused '--subnet: bridge katabr0 is in use and has 10.94.0.0/16' created d --subnet 10.99.0.0/16
	refused '--no-nat: bridge katabr0 is in use and has NAT' created d --no-nat
	pings b 192.0.2.2
	end_container a
	stopped a
	# forwarding stays for the other bridge
	pings b 192.0.2.2
	end_container b
	stopped b
	nothing_made
}

@test "hook: forwarding that was on stays on" {
	in_host sysctl -qw net.ipv4.ip_forward=1
	container a
	created a
	end_container a
	stopped a
	equal "$(made)" 1
}

# --- ports --------------------------------------------------------------------------------------

@test "hook: published ports, from the world, the host and a neighbour" {
	local a
	container a
	container b
	created a --publish 8080:80 -p 5353:53/udp -p 192.0.2.1:81:80 --subnet6 fd07::/64
	created b
	a=$(cat "$T/a.cpid")
	serve "$a" text-a 80
	equal "$(fetched "$world" http://192.0.2.1:8080)" text-a
	equal "$(fetched "$world" 'http://[2001:db8::1]:8080')" text-a
	equal "$(fetched "$world" http://192.0.2.1:81)" text-a
	equal "$(fetched "$host" http://127.0.0.1:8080)" text-a
	equal "$(fetched "$host" http://192.0.2.1:8080)" text-a
	equal "$(fetched "$(cat "$T/b.cpid")" http://192.0.2.1:8080)" text-a
	# UDP: a server that answers one packet with its text
	inside "$a" python3 -c 'import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(("", 53)); print("up", flush=True)
d, p = s.recvfrom(99); s.sendto(b"re " + d, p)' >"$T/udp.out" &
	eventually 20 grep -q up "$T/udp.out"
	equal "$(inside "$world" python3 -c 'import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.settimeout(10)
s.sendto(b"ask", ("192.0.2.1", 5353)); print(s.recv(99).decode())')" 're ask'
	end_container a
	stopped a
	has_not "$(in_host nft list ruleset)" 8080
	end_container b
	stopped b
	nothing_made
}

@test "hook: a published port is one container's" {
	container a
	container b
	created a --publish 8080:80
	refused "--publish 127.0.0.1:8080:81: container $c-a has that port, by 8080:80" \
		created b --publish 127.0.0.1:8080:81
	created b --publish 8080:80/udp
	end_container a
	stopped a
	end_container b
	stopped b
	nothing_made
}

@test "hook: a container can neither lend itself an address nor reach the host's loopback" {
	local early a
	container a
	created a
	a=$(cat "$T/a.cpid")
	serve "$host" host-only 7777
	# the way to the host's loopback, which the bridge would carry
	in_c a ip link set lo down
	in_c a sysctl -qw net.ipv4.conf.eth0.route_localnet=1
	in_c a ip route add 127.0.0.1/32 via 10.94.0.1 dev eth0 src 10.94.0.2
	in_c a ip route del table local local 127.0.0.1 2>/dev/null || true
	# an address of the world's network, to which the world would answer
	in_c a ip addr add 192.0.2.77/32 dev eth0
	inside "$world" ip route add 192.0.2.77/32 via 192.0.2.1
	in_host ip route add 192.0.2.77/32 dev katabr0
	! fetched "$a" http://127.0.0.1:7777 || fail "the host's loopback answered"
	! in_c a busybox ping -c 1 -W 2 -I 192.0.2.77 192.0.2.2 || fail "a foreign address got through"
	# both would work without the rules
	early='inet kata_net early'
	in_host nft flush chain $early
	equal "$(fetched "$a" http://127.0.0.1:7777)" host-only
	in_c a busybox ping -c 1 -W 5 -I 192.0.2.77 192.0.2.2
	end_container a
	stopped a
	nothing_made
}

# --- resolv.conf --------------------------------------------------------------------------------

@test "hook: resolv.conf is written where there is none or an empty one, and put back" {
	container a
	container b
	container d
	mkdir -p "$T"/{b,d}/rootfs/etc
	: >"$T/b/rootfs/etc/resolv.conf"
	echo 'nameserver 192.0.2.53' >"$T/d/rootfs/etc/resolv.conf"
	for n in a b d; do created $n; done
	has "$(cat "$T/a/rootfs/etc/resolv.conf")" 'nameserver 192.0.2.2'
	has "$(cat "$T/b/rootfs/etc/resolv.conf")" 'nameserver 192.0.2.2'
	equal "$(stat -c %a "$T/a/rootfs/etc/resolv.conf")" 644
	equal "$(cat "$T/d/rootfs/etc/resolv.conf")" 'nameserver 192.0.2.53'
	# the container's doing
	echo 'nameserver 192.0.2.99' >>"$T/b/rootfs/etc/resolv.conf"
	for n in a b d; do
		end_container $n
		stopped $n
	done
	[ ! -e "$T/a/rootfs/etc/resolv.conf" ] || fail "left in a"
	equal "$(stat -c '%s %a' "$T/b/rootfs/etc/resolv.conf")" '0 644'
	equal "$(cat "$T/d/rootfs/etc/resolv.conf")" 'nameserver 192.0.2.53'
	nothing_made
}

@test "hook: one rootfs for two: the last takes resolv.conf away" {
	container a
	container b
	rmdir "$T/b/rootfs"
	ln -s ../a/rootfs "$T/b/rootfs"
	options=(--dns 192.0.2.2)
	created a
	hook_state b created "$(cat "$T/b.cpid")" | jq --arg r "$T/a/rootfs" '.rootfs = $r' |
		in_host "$hook" --state "$state" "${options[@]}"
	end_container a
	stopped a
	has "$(cat "$T/a/rootfs/etc/resolv.conf")" 'nameserver 192.0.2.2'
	end_container b
	stopped b
	[ ! -e "$T/a/rootfs/etc/resolv.conf" ] || fail "resolv.conf is left"
	nothing_made
}

@test "hook: the host's name servers, but none on its loopback" {
	options=()
	container a
	printf '%s\n' '# mine' 'nameserver 127.0.0.53' 'search example.org' >"$T/host.resolv"
	in_host mount --bind "$T/host.resolv" "$(readlink -f /etc/resolv.conf)"
	refused '/etc/resolv.conf names no server that a container can reach' created a
	nothing_made
	[ ! -e "$T/a/rootfs/etc" ] || fail "the rootfs was touched"
	echo 'nameserver 192.0.2.53 # second' >>"$T/host.resolv"
	created a
	equal "$(tail -n +2 "$T/a/rootfs/etc/resolv.conf")" \
		'search example.org'$'\n''nameserver 192.0.2.53 # second'
	end_container a
	stopped a
	# without a file at all
	container b
	created b --no-dns
	[ ! -e "$T/b/rootfs/etc" ] || fail "the rootfs was touched"
	end_container b
	stopped b
	nothing_made
}

@test "hook: a resolv.conf that is a link is not followed" {
	container a
	mkdir -p "$T/a/rootfs/etc"
	echo mine >"$T/target"
	ln -s "$T/target" "$T/a/rootfs/etc/resolv.conf"
	refused 'a/rootfs/etc/resolv.conf is no file but a link or the like' created a
	nothing_made
	rm "$T/a/rootfs/etc/resolv.conf"
	created a
	# the container's revenge: removal is led elsewhere
	mv "$T/a/rootfs/etc/resolv.conf" "$T/kept"
	cp "$T/kept" "$T/target"
	ln -s "$T/target" "$T/a/rootfs/etc/resolv.conf"
	end_container a
	stopped a
	equal "$(cat "$T/target")" "$(cat "$T/kept")"
	nothing_made
}

@test "hook: other runtimes' state has no rootfs; config.json names it" {
	container a
	mv "$T/a/rootfs" "$T/a/there"
	echo '{ "root": { "path": "there" } }' >"$T/a/config.json"
	hook_state a creating "$(cat "$T/a.cpid")" | jq 'del(.rootfs)' |
		in_host "$hook" --state "$state" "${options[@]}"
	has "$(cat "$T/a/there/etc/resolv.conf")" 'nameserver 192.0.2.2'
	end_container a
	stopped a
	[ ! -e "$T/a/there/etc/resolv.conf" ] || fail "resolv.conf is left"
	nothing_made
}

# --- what is wrong ------------------------------------------------------------------------------

@test "hook: what cannot be is refused in one line, and nothing is made" {
	container a
	refused 'has bits of a host; the subnet is 10.1.0.0/16' created a --subnet 10.1.2.3/16
	refused 'kata1 is a name that kata-runtime gives' created a --bridge kata1
	refused 'unknown option --subnetz of kata-hook-net; did you mean --subnet?' created a --subnetz x
	refused 'a link called up0 exists and is not of kata-hook-net' created a --bridge up0
	refused "container $c-a has the host's network: give it" hook_as_host
	refused "container $c-a is running; this is a createRuntime and a poststop hook" hook_as_running
	refused "the container's state on stdin: " in_host "$hook" --state "$state" <<<'{'
	in_c a ip link add eth0 type veth peer name eth1
	refused "with eth0 in the container's network namespace: one of them exists" created a
	nothing_made
	[ ! -e "$T/a/rootfs/etc/resolv.conf" ] || fail "resolv.conf is left"
}

hook_as_host()
{
	hook_state a created "$host" | in_host "$hook" --state "$state" "${options[@]}"
}

hook_as_running()
{
	hook_state a running "$(cat "$T/a.cpid")" | in_host "$hook" --state "$state" "${options[@]}"
}

@test "hook: without nft it says so; --no-nat does without" {
	container a
	in_host mount --bind /dev/null "$(command -v nft)"
	refused 'NAT needs nft of nftables (without NAT: --no-nat)' created a
	in_host umount "$(command -v nft)"
	nothing_made
	in_host mount --bind /bin/false "$(command -v nft)"
	refused 'nft exited with status 1; does this kernel have nf_tables and nf_nat?' created a
	in_host umount "$(command -v nft)"
	nothing_made
	# what cannot be taken away is told, and kept in mind
	created a
	end_container a
	in_host mount --bind /bin/false "$(command -v nft)"
	refused 'nft exited with status 1' stopped a
	in_host umount "$(command -v nft)"
	stopped a
	nothing_made
	in_host mount --bind /dev/null "$(command -v nft)"
	container b
	created b --no-nat
	pings b 10.94.0.1
	! in_c b busybox ping -c 1 -W 2 192.0.2.2 || fail "answered without a route back"
	inside "$world" ip route add 10.94.0.0/16 via 192.0.2.1
	pings b 192.0.2.2
	end_container b
	stopped b
	in_host umount "$(command -v nft)"
	nothing_made
}

@test "hook: only the container that ended loses its network" {
	container a
	created a
	refused "container $c-a has a network already, its process is $(cat "$T/a.cpid")" created a
	# it lives: whoever says that it stopped means another of that name
	stopped a
	pings a 192.0.2.2
	end_container a
	# of another bundle
	mv "$T/a" "$T/a2"
	hook_state a stopped 0 | jq '.bundle += "2"' | in_host "$hook" --state "$state"
	has "$(made)" 'link katabr0'
	# its poststop never came: a new one of that name clears up
	mv "$T/a2" "$T/a"
	container a
	created a
	equal "$(addr_of a)" 10.94.0.2/16
	pings a 192.0.2.2
	end_container a
	stopped a
	nothing_made
}

@test "hook: a ledger that is damaged is named, not overwritten" {
	container a
	mkdir "$state"
	echo '{ "version": 1, "users": 3 }' >"$state/ledger.json"
	refused "$state/ledger.json: users: " created a
	refused "$state/ledger.json: users: " stopped a
	has "$(cat "$state/ledger.json")" '"users": 3'
	rm -r "$state"
}

@test "hook: under runc, as it is run by hand" {
	local out filters
	bundle b
	filters=("$(hooks_filter)"
		'.process.args = ["sh", "-c", "cat /etc/resolv.conf; ping -c 1 -W 5 192.0.2.2"]'
		'.process.capabilities |= map_values(. + ["CAP_NET_RAW"])' 'del(.process.rlimits)')
	change "$T/b" "${filters[@]}"
	out=$(in_host runc --root "$T/runc" run -b "$T/b" "$c" </dev/null 2>&1) || fail "$out"
	has "$out" 'nameserver 192.0.2.2'
	has "$out" '1 packets received'
	nothing_made
	[ ! -e "$T/b/rootfs/etc/resolv.conf" ] || fail "resolv.conf is left"
}

@test "hook: spec --network writes the hooks of what is installed" {
	mkdir "$T/b"
	kata spec --network --bundle "$T/b"
	equal "$(jq -r '.hooks | keys | join(" ")' "$T/b/config.json")" 'createRuntime poststop'
	equal "$(jq -r '.hooks[][].path' "$T/b/config.json" | sort -u)" "$hook"
	rm "$T/b/config.json"
	refused '--network needs root, --rootless excludes it' \
		kata spec --network --rootless --bundle "$T/b"
	[ ! -e "$T/b/config.json" ] || fail "written"
}

# --- crashes ------------------------------------------------------------------------------------

# killed_at N SYSCALL NAME STATUS PID [OPTION...]: the hook, killed at its Nth SYSCALL; succeeds
# when it came to an end before that
killed_at()
{
	hook_state "$3" "$4" "$5" |
		in_host strace -qq -o /dev/null -e "inject=$2:signal=KILL:when=$1" \
			"$hook" --state "$state" "${@:6}" 2>/dev/null
}

# all that changes something, and the waiting for nft
calls='write renameat mkdir mkdirat unlinkat rmdir sendmsg setns wait4 waitid openat'

can_inject()
{
	! strace -qq -o /dev/null -e inject=write:signal=KILL:when=1 echo >/dev/null 2>&1
}

left_after()
{
	nothing_made && [ ! -e "$T/a/rootfs/etc/resolv.conf" ] || fail "left after a kill at call $1"
}

@test "hook: killed at any point of making, poststop removes it all" {
	local call n points=0
	can_inject || skip "hardware: no ptrace here"
	container a
	for call in $calls; do
		n=1
		until killed_at $n "$call" a created "$(cat "$T/a.cpid")" "${options[@]}"; do
			end_container a
			stopped a
			left_after "$n of $call"
			container a
			n=$((n + 1)) points=$((points + 1))
			[ $n -lt 99 ] || fail "it never comes to an end"
		done
		end_container a
		stopped a
		left_after "none of $call"
		container a
	done
	echo "# killed at $points points" >&3
	[ $points -gt 30 ] || fail "only $points points"
	end_container a
}

@test "hook: killed at any point of removing, the next removal ends it" {
	local call n points=0 ended
	can_inject || skip "hardware: no ptrace here"
	for call in $calls; do
		ended='' n=1
		while [ -z "$ended" ]; do
			container a
			created a
			end_container a
			! killed_at $n "$call" a stopped 0 || ended=1
			stopped a
			left_after "$n of $call"
			n=$((n + 1)) points=$((points + 1))
			[ $n -lt 99 ] || fail "it never comes to an end"
		done
	done
	echo "# killed at $points points" >&3
	[ $points -gt 20 ] || fail "only $points points"
}
