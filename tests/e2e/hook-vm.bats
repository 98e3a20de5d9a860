#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# hook-vm: a bundle as a person at a shell runs it, in a VM, on the stage of hook.bash: the
# runtime runs on the host that is played there, the bundle's hooks make the network.

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

# net_bundle NAME SCRIPT [OPTION...]: runs the script, with hooks that have the options
net_bundle()
{
	local name=$1 script=$2
	shift 2
	sh_bundle "$name" "$script" "$(hooks_filter "$@")" '.root.readonly = true' \
		'.process.capabilities[] += ["CAP_NET_RAW"]'
}

# on_host ARGUMENT...: the runtime, on the played host
on_host()
{
	timeout -k 5 "$E2E_TIMEOUT" nsenter -t "$host" --net --mount -- \
		"$KATA_RUNTIME" --root "$ROOT" "$@" 3>&-
}

@test "hook in a VM: the guest has the address, the name server and the world" {
	local out
	net_bundle b 'ip -o -4 addr show dev eth0; ip route; cat /etc/resolv.conf; ping -c 1 -W 10 192.0.2.2'
	out=$(on_host run --bundle "$T/b" "$c" </dev/null 2>&1) || fail "$out"
	has "$out" 'inet 10.94.0.2/16'
	has "$out" 'default via 10.94.0.1 dev eth0'
	has "$out" 'nameserver 192.0.2.2'
	has "$out" '1 packets received'
	nothing_made
	[ ! -e "$T/b/rootfs/etc/resolv.conf" ] || fail "resolv.conf is left"
}

@test "hook in a VM: a published port, until the container is deleted" {
	net_bundle b 'mkdir /tmp/w; echo from-the-guest >/tmp/w/index.html; echo up; exec httpd -f -p 80 -h /tmp/w' \
		--publish 8080:80
	change "$T/b" '.root.readonly = false'
	on_host run --detach --bundle "$T/b" "$c" </dev/null >"$T/$c.out" 2>"$T/$c.err"
	wait_output "$c" up
	eventually 20 fetched "$world" http://192.0.2.1:8080
	equal "$(fetched "$world" http://192.0.2.1:8080)" from-the-guest
	equal "$(fetched "$host" http://127.0.0.1:8080)" from-the-guest
	on_host kill "$c" KILL
	wait_stopped "$c"
	has "$(made)" 'link katabr0'
	on_host delete "$c"
	nothing_made
}

@test "hook in a VM: a create that fails leaves no network" {
	local out
	net_bundle b true
	change "$T/b" '.process.args = ["/no/such/program"]'
	! out=$(on_host run --bundle "$T/b" "$c" </dev/null 2>&1) || fail "it ran: $out"
	has "$out" 'no such file or directory'
	nothing_made
}
