#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# numbers: what we hold ourselves to. Times are medians, costs are ratios to runc measured in
# the same run, in turn with it. What was measured is printed.

load helpers

setup()
{
	e2e_setup
}

teardown()
{
	[ -z "${cg:-}" ] || rmdir "$cg/vmm" "$cg/devices" "$cg" 2>/dev/null || true
	e2e_teardown
}

libexec()
{
	printf '%s' "${KATA_RUNTIME%/bin/*}/libexec/kata"
}

median()
{
	sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'
}

say()
{
	echo "# $*" >&3
}

@test "run prints within 3 s" {
	sh_bundle b 'echo here'
	for i in 1 2 3 4 5; do
		began=$(date +%s%N)
		equal "$(kata run --bundle "$T/b" "$c" </dev/null 2>&1)" here
		echo $((($(date +%s%N) - began) / 1000000))
	done | tee "$T/ms" >/dev/null
	ms=$(median <"$T/ms")
	say "run: median $ms ms of $(sort -n "$T/ms" | tr '\n' ' ')"
	[ "$ms" -le 3000 ]
}

# --- processor time ---------------------------------------------------------------------------

# a cgroup that counts nanoseconds, v1 or v2
cpu_cgroup()
{
	cg=/sys/fs/cgroup/cpuacct
	[ -d $cg ] || cg=/sys/fs/cgroup
	cg=$cg/kata-e2e-$c
	mkdir "$cg" "$cg/vmm" "$cg/devices"
}

# elsewhere GROUP PROGRAM: a program that moves itself away before it is PROGRAM
elsewhere()
{
	local path=$T/$1-${2##*/}
	cat >"$path" <<-EOF
		#!/bin/sh
		echo 0 >$cg/$1/cgroup.procs
		exec $2 "\$@"
	EOF
	chmod +x "$path"
	printf '%s' "$path"
}

# The VMM (and with it the guest) and the two programs of others that serve its devices are
# counted apart.
count_apart()
{
	local virtiofsd flavour=rust
	virtiofsd=$("$KATA_RUNTIME" config --json | jq -r .share.virtiofsd.value)
	[ "$virtiofsd" != /usr/lib/qemu/virtiofsd ] || flavour=c
	conf hypervisor "path = $(elsewhere vmm "$(type -p qemu-system-x86_64)")" \
		"vsock_device = $(elsewhere devices "$("$KATA_RUNTIME" config --json |
			jq -r .hypervisor.vsock_device.value)")"
	conf share "virtiofsd = $(elsewhere devices "$virtiofsd")" "flavour = $flavour"
}

# group_us [GROUP]: of the whole, or of a part
group_us()
{
	local dir=$cg/${1:-}
	if [ -e "$dir/cpuacct.usage" ]; then
		echo $(($(cat "$dir/cpuacct.usage") / 1000))
	else
		awk '/^usage_usec/ { print $2 }' "$dir/cpu.stat"
	fi
}

# both versions count what is below as well
ours_us()
{
	echo $(($(group_us) - $(group_us vmm) - $(group_us devices)))
}

# counted COMMAND...: run as a member of the cgroup
counted()
{
	(
		echo "$BASHPID" >"$cg/cgroup.procs"
		exec timeout 60 "$@" 3>&-
	)
}

empty()
{
	[ ! -s "$cg/cgroup.procs" ]
}

# create + start + delete of $1...: microseconds of processor time, without those counted apart
life_us()
{
	local before
	before=$(ours_us)
	counted "$@" create --bundle "$T/b" "$c" </dev/null >"$T/out" 2>&1
	counted "$@" start "$c"
	eventually 30 grep -q done "$T/out" # the program has run
	counted "$@" delete --force "$c"
	eventually 30 empty
	echo $(($(ours_us) - before))
}

@test "create, start and delete use less processor time of ours than of runc" {
	type runc >/dev/null || skip "no runc"
	sh_bundle b 'echo done; sleep 100'
	cpu_cgroup
	count_apart
	for i in 1 2 3 4 5; do
		life_us runc --root "$T/runc" >>"$T/runc.us"
		life_us "$KATA_RUNTIME" --root "$ROOT" >>"$T/kata.us"
	done
	rm -rf "$T/runc"
	ours=$(median <"$T/kata.us")
	theirs=$(median <"$T/runc.us")
	devices=$(($(group_us devices) / 5))
	say "create+start+delete: $ours us (and $devices us of virtiofsd and the vsock device), runc $theirs us, ratio $(awk "BEGIN { printf \"%.2f\", $ours / $theirs }")"
	[ "$ours" -lt "$theirs" ]
}

# exec of true in container $1: microseconds of processor time, and of the clock
exec_us()
{
	local before began id=$1
	shift
	before=$(ours_us)
	began=$(date +%s%N)
	counted "$@" exec "$id" true </dev/null
	echo $((($(date +%s%N) - began) / 1000)) >>"$T/clock"
	echo $(($(ours_us) - before))
}

@test "exec of true uses less processor time of ours than of runc" {
	type runc >/dev/null || skip "no runc"
	sh_bundle b 'echo done; exec sleep 1000'
	cpu_cgroup
	count_apart
	counted runc --root "$T/runc" run -d --bundle "$T/b" "$c-runc" </dev/null >/dev/null 2>&1
	counted "$KATA_RUNTIME" --root "$ROOT" run -d --bundle "$T/b" "$c" </dev/null >"$T/out" 2>&1
	eventually 30 grep -q done "$T/out"
	for i in 1 2 3 4 5 6 7 8 9; do
		exec_us "$c-runc" runc --root "$T/runc" >>"$T/runc.us"
		exec_us "$c" "$KATA_RUNTIME" --root "$ROOT" >>"$T/kata.us"
	done
	runc --root "$T/runc" delete --force "$c-runc"
	rm -rf "$T/runc"
	kata delete --force "$c"
	ours=$(median <"$T/kata.us")
	theirs=$(median <"$T/runc.us")
	clock=$(sed -n 'n;p' "$T/clock" | median)
	runc_clock=$(sed -n 'p;n' "$T/clock" | median)
	say "exec of true: $ours us, runc $theirs us, ratio $(awk "BEGIN { printf \"%.2f\", $ours / $theirs }"); wall $clock us, runc $runc_clock us"
	[ "$ours" -le "$theirs" ]
}

# --- idle -------------------------------------------------------------------------------------

switches()
{
	cat /proc/"$1"/task/*/status | awk '/ctxt_switches/ { s += $2 } END { print s }'
}

@test "idle: no wake-ups of sandbox and shim in 10 s, at most 4 MB of memory" {
	sh_bundle b 'echo up; exec sleep 1000'
	start_container "$c" b
	wait_output "$c" up
	sandbox=$(record "$c" .sandbox.pid)
	shim=$(record "$c" .shim.pid)
	# what the start still had to do comes to rest
	eventually 20 at_rest "$sandbox" "$shim"
	before="$(switches "$sandbox") $(switches "$shim")"
	sleep 10
	equal "$(switches "$sandbox") $(switches "$shim")" "$before"

	pss=$(awk '/^Pss:/ { s += $2 } END { print s }' "/proc/$sandbox/smaps_rollup" "/proc/$shim/smaps_rollup")
	say "idle: kata-sandbox and kata-shim $pss kB PSS"
	[ "$pss" -le 4096 ]
}

at_rest()
{
	local before
	before="$(switches "$1") $(switches "$2")"
	sleep 0.5
	[ "$(switches "$1") $(switches "$2")" = "$before" ]
}

# --- sizes ------------------------------------------------------------------------------------

stripped()
{
	local f sum=0
	for f; do
		strip -o "$T/stripped" "$f"
		sum=$((sum + $(stat -c %s "$T/stripped")))
	done
	echo $sum
}

@test "sizes: host programs 1 MB, agent 1.5 MB, initramfs without modules 1 MB" {
	prefix=${KATA_RUNTIME%/bin/*}
	host=$(stripped "$KATA_RUNTIME" "$(echo "$prefix"/lib/libkata.so.*.*.*)" "$(libexec)/kata-sandbox" \
		"$(libexec)/kata-shim")
	agent=$(stripped "$(libexec)/kata-agent")
	modules=$(cd "$T" && cpio -t --quiet <"$prefix/share/kata/initramfs.cpio" | grep -c '\.ko$')
	[ "$modules" -gt 0 ]
	bytes=$(cd "$T" && cpio -itv --quiet <"$prefix/share/kata/initramfs.cpio" |
		awk '!/\.ko$/ { s += $5 + 110 + length($9) } END { print s }')
	say "sizes: host programs $host, agent $agent, initramfs without modules $bytes bytes"
	[ "$host" -le 1048576 ]
	[ "$agent" -le 1572864 ]
	[ "$bytes" -le 1048576 ]
}
