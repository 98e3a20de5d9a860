#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# portforward: what connects to localhost in the container's network namespace on the host, as engines do to
# forward a port, reaches the server in the guest.

load helpers
load network

setup()
{
	network_setup
	have_lookup || skip "hardware: no BPF of type sk_lookup"
	make_program serve
}

teardown()
{
	[ -z "${helper:-}" ] || kill "$helper" 2>/dev/null || true
	network_teardown
}

have_lookup()
{
	kata check | grep -q '^ok .*port-forward'
}

make_program()
{
	cc -O1 -static -o "$T/$1" "$e2e_dir/$1.c"
}

# connects COMMAND [ARGUMENT...]: of forwarded.py, in the namespace
connects()
{
	timeout 150 ip netns exec "$net" python3 "$e2e_dir/forwarded.py" "$@" 3>&-
}

# servers SCRIPT: a container in $net that runs it, and all of its N servers are up
servers()
{
	sh_bundle b "$1 sleep 1000" "$(in_net)"
	cp "$T/serve" "$T/b/rootfs/serve"
	create "$c" b
	kata start "$c"
	eventually 30 are_up "$2"
}

are_up()
{
	[ "$(grep -c up "$T/$c.out")" = "$1" ]
}

listeners()
{
	ip netns exec "$net" ss -Hltn
}

sandbox_pid()
{
	our_processes | awk '/kata-sandbox/ { print $2; exit }'
}

switches_of()
{
	awk '/voluntary_ctxt_switches/ { n += $2 } END { print n }' "/proc/$1/status"
}

@test "localhost of the namespace is the guest's" {
	local pid before
	cable eth0 1
	servers '/serve 127.0.0.1 7000 & /serve ::1 7001 & /serve 127.0.0.1 7002 reset &' 3
	# TCP of both families, whatever the size, each direction to its end
	equal "$(connects echo 127.0.0.1 7000 10)" same
	equal "$(connects echo ::1 7001 100000)" same
	equal "$(connects echo 127.0.0.1 7000 10000000)" same
	# engines try ::1 when 127.0.0.1 refuses: that is done for them, and not the other way round
	equal "$(connects echo 127.0.0.1 7001 1000)" same
	equal "$(connects end ::1 7000)" reset
	# nobody listens; somebody hangs up
	equal "$(connects end 127.0.0.1 7777)" reset
	equal "$(connects end 127.0.0.1 7002)" reset
	equal "$(connects many 127.0.0.1 7000 200)" 200
	# no other address
	equal "$(connects end 127.0.0.2 7000)" refused
	equal "$(connects end 10.7.1.2 7000)" refused
	# one that is open and says nothing costs nothing
	connects hold 127.0.0.1 7000 "$T/held" >"$T/end" &
	eventually 20 test -e "$T/held"
	pid=$(sandbox_pid)
	sleep 1
	before=$(switches_of "$pid")
	sleep 2
	equal "$(switches_of "$pid")" "$before"
	# and does not outlive the VM
	kata delete --force "$c"
	wait $!
	[[ "$(cat "$T/end")" =~ ^(reset|eof)$ ]]
	equal "$(listeners)" ""
	equal "$(connects end 127.0.0.1 7000)" refused
	clean
}

@test "services of the host in the namespace stay reachable" {
	local at
	servers '/serve 127.0.0.1 7000 &' 1
	for at in 127.0.0.1 ::1 127.0.0.11; do
		ip netns exec "$net" python3 "$e2e_dir/forwarded.py" answer $at 7005 >"$T/answer" 2>&1 3>&- &
		helper=$!
		eventually 20 grep -q up "$T/answer"
		equal "$(connects ask $at 7005)" here
		kill "$helper"
		wait "$helper" || true
	done
	# its port is the guest's again
	equal "$(connects end 127.0.0.1 7005)" reset
	equal "$(connects echo 127.0.0.1 7000 1000)" same
	# nothing is left by one that was killed
	kill -9 "$(sandbox_pid)"
	wait_stopped "$c"
	equal "$(connects end 127.0.0.1 7000)" refused
	equal "$(listeners)" ""
	kata delete "$c"
}
