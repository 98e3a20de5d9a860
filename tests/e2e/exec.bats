#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# exec: further processes in a running container, by hand as runc's exec.

load helpers

setup()
{
	e2e_setup
}

teardown()
{
	e2e_teardown
}

# sleeper [FILTER...]: a running container that does nothing
sleeper()
{
	sh_bundle b 'trap exit TERM; echo up; while :; do sleep 1000 & wait $!; done' "$@"
	start_container "$c" b
	wait_output "$c" up
}

# detached OPTION... COMMAND...: stdio are $T/x.out and .err
detached()
{
	kata exec --detach --pid-file "$T/x.pid" "$@" </dev/null >"$T/x.out" 2>"$T/x.err"
}

@test "exec: output, exit statuses, stdin" {
	sleeper
	equal "$(kata exec "$c" echo hello)" hello
	run -0 kata exec "$c" true
	run -7 kata exec "$c" sh -c 'exit 7'
	run -137 kata exec "$c" sh -c 'kill -9 $$'
	equal "$(seq 100000 | kata exec "$c" sha256sum)" "$(seq 100000 | sha256sum)"
	equal "$(kata exec "$c" seq 100000 | sha256sum)" "$(seq 100000 | sha256sum)"
	kata exec "$c" sh -c 'echo out; echo err >&2' >"$T/out" 2>"$T/err"
	equal "$(cat "$T/out")" out
	equal "$(cat "$T/err")" err
	# the options of the command are its own
	equal "$(kata exec "$c" echo -n --tty -d)" "--tty -d"
}

@test "what is /dev/null for the caller is /dev/null in the guest, the rest goes through" {
	sh_bundle b 'readlink /proc/self/fd/0; exec sleep 1000'
	start_container "$c" b
	wait_output "$c" /dev/null
	equal "$(kata exec "$c" readlink /proc/self/fd/0 </dev/null)" /dev/null
	equal "$(echo in | kata exec "$c" cat)" in
	equal "$(kata exec "$c" sh -c 'exec 3>&1; readlink /proc/self/fd/3 >&2' 2>&1 >/dev/null)" \
		/dev/null
	kata exec -d "$c" sh -c 'exec 3>&1; readlink /proc/self/fd/3 >/out' >/dev/null
	eventually 10 grep -qx /dev/null "$T/b/rootfs/out"
}

@test "exec: user, groups, working directory, environment, capabilities" {
	sleeper
	run -0 kata exec -u 1000:1000 -g 2000 --cwd /tmp -e A=b "$c" sh -c 'id -u; id -g; id -G; pwd; echo $A; echo $HOME'
	equal "$output" $'1000\n1000\n1000 2000\n/tmp\nb\n/home/user'
	run -0 kata exec --cap CAP_SYS_TIME "$c" grep CapEff /proc/self/status
	has "$output" 2
	run -0 kata exec --no-new-privs "$c" grep NoNewPrivs /proc/self/status
	has "$output" 1
}

@test "exec: it is in the container" {
	sleeper '.hostname = "box"'
	equal "$(kata exec "$c" hostname)" box
	has "$(kata exec "$c" ps)" "trap exit TERM"
	equal "$(kata exec "$c" readlink /proc/self/ns/pid)" "$(kata exec "$c" readlink /proc/1/ns/pid)"
	equal "$(kata exec "$c" readlink /proc/self/ns/mnt)" "$(kata exec "$c" readlink /proc/1/ns/mnt)"
}

@test "exec --process" {
	sleeper
	jq '.process | .args = ["sh", "-c", "echo $B; exit 3"] | .env += ["B=process"]' \
		"$T/b/config.json" >"$T/process.json"
	run -3 kata exec --process "$T/process.json" "$c"
	equal "$output" process
	echo '{"args": 5}' >"$T/process.json"
	run -255 kata exec --process "$T/process.json" "$c"
	has "$output" args
}

@test "exec: a program that is not there" {
	sleeper
	run -255 kata exec "$c" no-such-program
	has "$output" 'exec failed'
	has "$output" 'executable file not found in $PATH'
	run -255 kata exec "$c" /etc/passwd
	has "$output" "permission denied"
	run -255 detached "$c" no-such-program
	[ ! -e "$T/x.pid" ]
	equal "$(kata ps -f json "$c" | jq length)" 1
}

@test "exec --detach: pid file, status for who adopts, signals" {
	sleeper
	adopt "$KATA_RUNTIME" --root "$ROOT" exec -d --pid-file "$T/x.pid" "$c" \
		sh -c 'trap "exit 9" USR1; while :; do sleep 0.1; done' >/dev/null 2>&1
	local pid
	pid=$(cat "$T/x.pid")
	has "$(kata ps -f json "$c")" "$pid"
	has_not "$(od -c "$T/x.pid")" '\n'
	equal "$(cut -d ' ' -f 6 "/proc/$pid/stat")" "$pid"
	# the stand-in passes on what it gets
	eventually 20 sh -c "kill -USR1 $pid 2>/dev/null; test -s $T/adopt/exit.$pid"
	equal "$(exit_of "$pid")" 9
}

@test "exec --detach: killing the stand-in kills the process" {
	sleeper
	detached "$c" sh -c 'echo $$ >/tmp/x; exec sleep 1000'
	eventually 30 kata exec "$c" test -s /tmp/x
	kill -9 "$(cat "$T/x.pid")"
	eventually 30 not kata exec "$c" sh -c 'kill -0 $(cat /tmp/x)'
}

not()
{
	! "$@"
}

@test "exec: a terminal through a console socket" {
	sleeper
	mkfifo "$T/console.in"
	timeout 60 python3 "$e2e_dir/console.py" "$T/console.sock" "$T/console.out" "$T/console.in" 3>&- &
	eventually 10 test -S "$T/console.sock"
	kata exec -d -t --console-socket "$T/console.sock" --pid-file "$T/x.pid" "$c" \
		sh -c 'test -t 0 && echo on a terminal' </dev/null >/dev/null 2>&1
	eventually 30 grep -q "on a terminal" "$T/console.out"
	eventually 30 gone "$(cat "$T/x.pid")"
	run -255 kata exec -d -t "$c" true
	has "$output" "cannot allocate tty if runc will detach without setting console socket"
	run -255 kata exec --console-socket "$T/console.sock" "$c" true
	has "$output" "cannot use console socket if runc will not detach or allocate tty"
}

@test "exec -t on the caller's terminal, restored afterwards" {
	sleeper
	run -0 timeout 60 python3 "$e2e_dir/on_terminal.py" 21 77 hello "$KATA_RUNTIME" --root "$ROOT" \
		exec -t "$c" sh -c 'stty size; read l; echo "got $l"'
	has "$output" "21 77"
	has "$output" "got hello"
}

@test "exec: states" {
	sh_bundle b 'echo up; sleep 1000'
	create "$c" b
	equal "$(kata exec "$c" echo early)" early
	kata start "$c"
	wait_output "$c" up
	kata kill "$c" KILL
	wait_stopped "$c"
	run -255 kata exec "$c" true
	has "$output" "cannot exec in a stopped container"
	run -255 kata exec nowhere true
	has "$output" "does not exist"
}

@test "exec: the container's end ends it, with its output" {
	sleeper
	detached "$c" sh -c 'echo before; sleep 1000'
	eventually 30 grep -q before "$T/x.out"
	kata kill "$c" KILL
	wait_stopped "$c"
	eventually 20 gone "$(cat "$T/x.pid")"
}

@test "exec: twenty at once" {
	sleeper
	local i pids=()
	for i in $(seq 20); do
		kata exec "$c" sh -c "echo $i; exit $i" >"$T/out.$i" 2>&1 &
		pids+=($!)
	done
	for i in $(seq 20); do
		local status=0
		wait "${pids[$((i - 1))]}" || status=$?
		equal "$status $(cat "$T/out.$i")" "$i $i"
	done
	equal "$(kata ps -f json "$c" | jq length)" 1
}
