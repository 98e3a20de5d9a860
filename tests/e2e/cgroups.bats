#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# cgroups: the container's group on the host (CONTRACT 0.3, 1.12). What is in it, what its
# limits are, and that it goes. How the files of each controller are written: unit tests.

load helpers

setup()
{
	e2e_setup
	g=/kata-e2e/$c
}

teardown()
{
	# what was made for the test beside what the runtime made
	local d
	for d in $(find /sys/fs/cgroup -depth -type d -path "*/kata-e2e/$c*" 2>/dev/null); do
		[ -z "${strangers:-}" ] || rmdir "$d" 2>/dev/null || true
	done
	e2e_teardown
	# the parent, unless another test is in it
	dirs /kata-e2e | xargs rmdir 2>/dev/null || true
}

# dirs GROUP: its directory in each hierarchy there is, v1 or v2
dirs()
{
	awk -v g="$1" '/ - cgroup2? / { print $5 g }' /proc/self/mountinfo |
		sort -u
}

# every hierarchy that this host has a directory of the group in
hierarchies()
{
	local d
	for d in $(dirs "$g"); do
		[ ! -d "$d" ] || echo "$d"
	done
}

# file CONTROLLER NAME: of the group
file()
{
	if [ -e "/sys/fs/cgroup/cgroup.controllers" ]; then
		cat "/sys/fs/cgroup$g/$2"
	else
		cat "/sys/fs/cgroup/$1$g/$2"
	fi
}

v1()
{
	[ -e /sys/fs/cgroup/memory ]
}

path_filter()
{
	echo '.linux.cgroupsPath = "'"$1"'"'
}

# every process of the VM's
members()
{
	local sandbox
	sandbox=$(record "$c" .sandbox.pid)
	[ "$sandbox" -gt 1 ]
	cat "$T/$c.pid"
	echo
	echo "$sandbox"
	descendants "$sandbox"
}

descendants()
{
	local p
	for p in $(pgrep -P "$1"); do
		echo "$p"
		descendants "$p"
	done
}

none_left()
{
	equal "$(find /sys/fs/cgroup -depth -type d -path "*$c*" 2>/dev/null)" ""
}

@test "shim, sandbox, hypervisor and helpers are in the group when create returns" {
	local p d all
	bundle b "$(path_filter "$g")"
	create "$c" b
	all=$(members)
	has "$(for p in $all; do cat "/proc/$p/comm"; done)" qemu-system
	has "$(for p in $all; do cat "/proc/$p/comm"; done)" virtiofsd
	[ -n "$(hierarchies)" ]
	for d in $(hierarchies); do
		equal "$(sort -n "$d/cgroup.procs")" "$(echo "$all" | sort -n)"
	done
	# engines look there
	run ! grep -vE "$g\$" "/proc/$(cat "$T/$c.pid")/cgroup"
	kata start "$c"
	kata delete --force "$c"
	none_left
}

# filter: a limit for a block device that is there
throttle()
{
	[ -b /dev/loop0 ] || { echo .; return; }
	echo '.linux.resources.blockIO.throttleReadBpsDevice = [{"major": 7, "minor": 0, "rate": 1048576}]'
}

@test "the host's limits are the spec's and what a VM needs" {
	local spec=$((100 << 20)) limit
	bundle b "$(path_filter "$g")" ".linux.resources.memory.limit = $spec" \
		'.linux.resources.pids.limit = 50' '.linux.resources.cpu.shares = 512' \
		'.linux.resources.cpu.quota = 50000' '.linux.resources.cpu.period = 100000' \
		"$(throttle)"
	create "$c" b
	if v1; then
		limit=$(file memory memory.limit_in_bytes)
		equal "$(file cpu cpu.shares)" 512
		equal "$(file cpu cpu.cfs_quota_us)" 50000
		equal "$(file cpu cpu.cfs_period_us)" 100000
		# of whatever does the VM's I/O
		[ ! -b /dev/loop0 ] || equal "$(file blkio blkio.throttle.read_bps_device)" "7:0 1048576"
	else
		limit=$(file memory memory.max)
		equal "$(file cpu cpu.max)" "50000 100000"
	fi
	# all of the VM's RAM fits, and not much more than that
	[ "$limit" -gt "$(record "$c" .vmMemory)" ]
	[ "$limit" -lt $((spec + (600 << 20))) ]
	[ "$(file pids pids.max)" -gt 50 ]
	[ "$(file pids pids.max)" -lt 5000 ]
	kata start "$c"
	kata delete --force "$c"
	none_left
}

@test "without limits there are none" {
	bundle b "$(path_filter "$g")"
	create "$c" b
	equal "$(file pids pids.max)" max
	if v1; then
		[ "$(file memory memory.limit_in_bytes)" -gt $((1 << 50)) ]
		equal "$(file cpu cpu.cfs_quota_us)" -1
	else
		equal "$(file memory memory.max)" max
	fi
	kata delete --force "$c"
	none_left
}

@test "a group with processes in it is refused and left as it is" {
	local d pid
	strangers=1
	sleep 300 3>&- &
	pid=$!
	for d in $(dirs "$g"); do
		case $d in
		/sys/fs/cgroup/pids/* | /sys/fs/cgroup/kata-e2e/*) mkdir -p "$d"; echo $pid >"$d/cgroup.procs" ;;
		esac
	done
	bundle b "$(path_filter "$g")"
	run ! create "$c" b
	has "$output" "cgroup is not empty"
	[ ! -e "$ROOT/$c" ]
	[ ! -e "$ROOT/@$c" ]
	kill -0 $pid
	grep -qF "$g" /proc/$pid/cgroup
	kill $pid
	wait $pid || true
	# empty it is taken, and gone afterwards
	create "$c" b
	kata delete --force "$c"
	none_left
}

@test "a group is gone after a failed create" {
	bundle b "$(path_filter "$g")" '.process.args = ["/no/such/program"]'
	run ! create "$c" b
	none_left
	bundle b2 "$(path_filter "$g")" '.hooks.createRuntime = [{"path": "/bin/false"}]'
	run ! create "$c" b2
	none_left
	bundle b3 "$(path_filter /)"
	run ! create "$c" b3
	has "$output" linux.cgroupsPath
	none_left
}

@test "a relative path is below our own group, no path is the id" {
	bundle b "$(path_filter "kata-e2e/$c-relative")"
	create "$c" b
	grep -qE "kata-e2e/$c-relative\$" "/proc/$(cat "$T/$c.pid")/cgroup"
	kata delete --force "$c"
	none_left
	bundle b2
	create "$c" b2
	grep -qE "/$c\$" "/proc/$(cat "$T/$c.pid")/cgroup"
	kata delete --force "$c"
	none_left
}

@test "no group when the manager is disabled" {
	bundle b "$(path_filter "$g")"
	"$KATA_RUNTIME" --root "$ROOT" --cgroup-manager disabled create --bundle "$T/b" \
		--pid-file "$T/$c.pid" "$c" </dev/null >/dev/null 2>&1
	none_left
	equal "$(cat "/proc/$(cat "$T/$c.pid")/cgroup")" "$(cat /proc/self/cgroup)"
	kata delete --force "$c"
}

@test "the group goes when everything was killed" {
	bundle b "$(path_filter "$g")"
	create "$c" b
	kill -9 "$(record "$c" .sandbox.pid)"
	wait_stopped "$c"
	kata delete "$c"
	none_left
}

@test "the VM leaves its first container's group and goes on beside it" {
	local m=$c-m d beside
	sh_bundle s 'sleep 1000' "$(path_filter "$g")"
	start_container "$c" s
	sh_bundle m 'sleep 1000' "$(path_filter "$g-m")" \
		'.annotations = {"io.kubernetes.cri.container-type": "container",
		"io.kubernetes.cri.sandbox-id": "'"$c"'"}'
	start_container "$m" m
	for d in $(dirs "$g-m"); do
		[ ! -d "$d" ] || equal "$(cat "$d/cgroup.procs")" "$(cat "$T/$m.pid")"
	done
	beside=$g-vm$(record "$c" .sandbox.pid)
	kata delete --force "$c"
	equal "$(hierarchies)" ""
	for d in $(dirs "$beside"); do
		[ ! -d "$d" ] || [ "$(wc -l <"$d/cgroup.procs")" -ge 4 ]
	done
	equal "$(status_of "$m")" running
	kata delete --force "$m"
	none_left
}

@test "processes that are not ours do not keep a container" {
	local pid d
	strangers=1
	bundle b "$(path_filter "$g")"
	create "$c" b
	sleep 300 3>&- &
	pid=$!
	d=$(hierarchies | head -n 1)
	echo $pid >"$d/cgroup.procs"
	kata delete --force "$c"
	[ ! -e "$ROOT/$c" ]
	kill -0 $pid
	kill $pid
	wait $pid || true
}
