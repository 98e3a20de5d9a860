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

# bench SCENARIO: its rows, measured against runc; the table is shown
bench()
{
	type runc >/dev/null || skip "no runc"
	timeout -k 10 900 "$e2e_dir/../bench/run" --quick --against '' --json "$T/bench.json" "$1" \
		>"$T/table" 3>&-
	while read -r line; do
		say "$line"
	done <"$T/table"
}

# ratio ROW THEIRS: median of ours by theirs
ratio()
{
	jq --arg row "$1" --arg theirs "$2" \
		'.rows[] | select(.row == $row and .theirs_is == $theirs) | .ratio.median' "$T/bench.json"
}

at_most()
{
	jq -en --argjson got "${1:-null}" --argjson limit "$2" '$got != null and $got <= $limit' ||
		fail "ratio ${1:-not measured}, limit $2"
}

@test "create, start and delete use less processor time of ours than of runc" {
	bench life
	at_most "$(ratio 'create+start+delete: cpu' runc)" 1
}

@test "exec of true uses less processor time of ours than of runc" {
	bench exec
	at_most "$(ratio 'exec true: cpu' runc)" 1
	at_most "$(ratio 'exec true: cpu, all' runc)" 1
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
	modules=$(cd "$T" && cpio -t --quiet <"$prefix/share/kata/initramfs.cpio" | grep -c '\.ko$' || true)
	# the distribution's kernel needs some, ours has none
	case $(head -n 1 "$prefix/share/kata/kernel.version") in
	linux-source-*) equal "$modules" 0 ;;
	*) [ "$modules" -gt 0 ] ;;
	esac
	bytes=$(cd "$T" && cpio -itv --quiet <"$prefix/share/kata/initramfs.cpio" |
		awk '!/\.ko$/ { s += $5 + 110 + length($9) } END { print s }')
	say "sizes: host programs $host, agent $agent, initramfs without modules $bytes bytes"
	[ "$host" -le 1048576 ]
	[ "$agent" -le 1572864 ]
	[ "$bytes" -le 1048576 ]
}
