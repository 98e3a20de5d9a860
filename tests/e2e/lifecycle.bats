#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# lifecycle: create, start, state, kill, delete, list, run; stdio, exit statuses, pid files,
# terminals. What engines rely on (CONTRACT 0, 1.3 to 1.5, 1.8, 1.9).

load helpers

setup()
{
	e2e_setup
}

teardown()
{
	e2e_teardown
}

# --- the life of one container

@test "create, state, start, kill, delete" {
	sh_bundle b 'echo up; trap "exit 3" TERM; while :; do sleep 1; done'
	create "$c" b
	equal "$(status_of "$c")" created
	equal "$(kata state "$c" | jq -r .pid)" "$(cat "$T/$c.pid")"
	equal "$(kata state "$c" | jq -r .id)" "$c"
	equal "$(kata state "$c" | jq -r .bundle)" "$T/b"
	has "$(kata state "$c" | jq -r .ociVersion)" 1.
	kata start "$c"
	equal "$(status_of "$c")" running
	wait_output "$c" up
	kata kill "$c" TERM
	wait_stopped "$c"
	equal "$(kata state "$c" | jq -r .pid)" 0
	kata delete "$c"
	run ! kata state "$c"
	has "$output" "does not exist"
}

@test "nothing runs before start" {
	sh_bundle b 'echo up'
	create "$c" b
	sleep 1
	equal "$(cat "$T/$c.out")" ""
	equal "$(status_of "$c")" created
	kata start "$c"
	wait_stopped "$c"
	equal "$(cat "$T/$c.out")" up
	kata delete "$c"
}

@test "a created container can be deleted without force" {
	bundle b
	create "$c" b
	kata delete "$c"
	run ! kata state "$c"
}

@test "a created container can be killed" {
	bundle b
	create "$c" b
	kata kill "$c" KILL
	wait_stopped "$c"
	kata delete "$c"
}

@test "a running container is deleted by force only" {
	sh_bundle b 'sleep 1000'
	start_container "$c" b
	run ! kata delete "$c"
	has "$output" "cannot delete container $c that is not stopped: running"
	equal "$(status_of "$c")" running
	kata delete --force "$c"
	run ! kata state "$c"
}

@test "delete --force of nothing is fine, delete is not" {
	kata delete --force nothing
	run ! kata delete nothing
	has "$output" "container does not exist"
}

@test "start twice, start after the end" {
	sh_bundle b 'sleep 1000'
	start_container "$c" b
	run ! kata start "$c"
	has "$output" "cannot start an already running container"
	kata kill "$c" 9
	wait_stopped "$c"
	run ! kata start "$c"
	has "$output" "cannot start a container that has stopped"
	kata delete "$c"
}

@test "kill of a stopped container says so" {
	bundle b
	start_container "$c" b
	wait_stopped "$c"
	run ! kata kill "$c" TERM
	has "$output" "container not running"
	kata delete "$c"
}

@test "kill with an unknown signal" {
	sh_bundle b 'sleep 1000'
	start_container "$c" b
	run ! kata kill "$c" FOO
	has "$output" 'unknown signal'
	has "$output" FOO
	equal "$(status_of "$c")" running
}

@test "signals by name, by number, and real-time ones" {
	sh_bundle b 'for s in USR1 USR2 HUP; do trap "echo got $s" $s; done
		trap "echo got RTMIN2; exit 0" 36; echo up; while :; do sleep 0.1; done'
	start_container "$c" b
	wait_output "$c" up
	kata kill "$c" USR1
	wait_output "$c" "got USR1"
	kata kill "$c" sigusr2
	wait_output "$c" "got USR2"
	kata kill "$c" 1
	wait_output "$c" "got HUP"
	kata kill "$c" RTMIN+2
	wait_stopped "$c"
	equal "$(grep -c got "$T/$c.out")" 4
	kata delete "$c"
}

@test "pid 1 without a handler ignores TERM, and dies of KILL" {
	bundle b '.process.args = ["sleep", "1000"]'
	start_container "$c" b
	kata kill "$c" TERM
	sleep 1
	equal "$(status_of "$c")" running
	kata kill "$c" KILL
	wait_stopped "$c"
	kata delete "$c"
}

@test "kill --all means the group: children, other sessions, what exec has left there" {
	sh_bundle b 'sh /each child & setsid sh /each session &
		trap "echo init got; until [ \$(grep -c got /said) = 3 ]; do sleep 0.1; done; exit 3" USR1
		echo up; while :; do sleep 0.1; done'
	printf '%s\n' 'trap "echo $1 got >>/said; exit" USR1' 'echo $1 up >>/said' \
		'while :; do sleep 0.1; done' >"$T/b/rootfs/each"
	start_container "$c" b
	kata exec -d "$c" setsid sh /each exec >/dev/null </dev/null
	eventually 30 says "$T/b/rootfs/said" 3 up
	wait_output "$c" up
	kata kill --all "$c" USR1
	wait_stopped "$c" || fail "$(cat "$T/$c.out" "$T/$c.err" "$T/b/rootfs/said")"
	has "$(cat "$T/$c.out")" "init got"
	equal "$(grep got "$T/b/rootfs/said" | sort | tr '\n' ' ')" "child got exec got session got "
	# of what has ended, as runc has it
	kata kill --all "$c" KILL
	kata delete "$c"
}

# says FILE N WORD: N lines of it have WORD
says()
{
	[ "$(grep -c "$3" "$1" 2>/dev/null)" = "$2" ]
}

@test "list: table, ids, JSON" {
	equal "$(kata list -q)" ""
	bundle b
	create "$c-1" b
	create "$c-2" b
	equal "$(kata list -q | sort)" "$c-1"$'\n'"$c-2"
	equal "$(kata list -f json | jq -r '.[] | .id + " " + .status' | sort)" \
		"$c-1 created"$'\n'"$c-2 created"
	run -0 kata list
	has "${lines[0]}" ID
	has "${lines[0]}" STATUS
	equal "${#lines[@]}" 3
	mkdir "$ROOT/of-another-runtime"
	equal "$(kata list -q | wc -l)" 2
	rmdir "$ROOT/of-another-runtime"
}

@test "annotations are in the state" {
	bundle b '.annotations = {"org.example.a": "b"}'
	create "$c" b
	equal "$(kata state "$c" | jq -r '.annotations["org.example.a"]')" b
}

@test "config.json is read once" {
	sh_bundle b 'echo first'
	create "$c" b
	change "$T/b" '.process.args = ["echo", "second"]'
	kata start "$c"
	wait_stopped "$c"
	equal "$(cat "$T/$c.out")" first
}

@test "the working directory is the default bundle" {
	sh_bundle b 'echo here'
	cd "$T/b"
	equal "$(kata run "$c")" here
}

# --- run, exit statuses, stdio

@test "run: output, and nothing left" {
	sh_bundle b 'echo out; echo err >&2'
	kata run --bundle "$T/b" "$c" >"$T/out" 2>"$T/err" </dev/null
	equal "$(cat "$T/out")" out
	equal "$(cat "$T/err")" err
	run ! kata state "$c"
}

@test "run: the exit status is the program's" {
	local n
	for n in 0 1 42 255; do
		sh_bundle b "exit $n"
		run "-$n" kata run --bundle "$T/b" "$c"
		equal "$output" ""
	done
}

@test "run: 128 + n for a program that died of a signal" {
	# pid 1 cannot kill itself; a child's death is passed on by the shell
	sh_bundle b 'sh -c "kill -SEGV \$\$"; exit $?'
	run -139 kata run --bundle "$T/b" "$c"
}

@test "the shim's status is what a subreaper gets" {
	local shim
	sh_bundle b 'exit 42'
	adopt "$KATA_RUNTIME" --root "$ROOT" create --bundle "$T/b" --pid-file "$T/pid" "$c" \
		</dev/null >/dev/null 2>"$T/err"
	shim=$(cat "$T/pid")
	kata start "$c"
	equal "$(exit_of "$shim")" 42
	kata delete "$c"
}

@test "the shim ends with 137 when the program is killed" {
	sh_bundle b 'sleep 1000'
	adopt "$KATA_RUNTIME" --root "$ROOT" create --bundle "$T/b" --pid-file "$T/pid" "$c" \
		</dev/null >/dev/null 2>"$T/err"
	kata start "$c"
	kata kill "$c" KILL
	equal "$(exit_of "$(cat "$T/pid")")" 137
	kata delete "$c"
}

@test "the pid file: decimal, no newline, a live process in its own session" {
	local pid
	sh_bundle b 'sleep 1000'
	create "$c" b
	grep -qzxE '[0-9]+' "$T/$c.pid"
	equal "$(tail -c 1 "$T/$c.pid" | tr -d 0-9 | wc -c)" 0
	pid=$(cat "$T/$c.pid")
	kill -0 "$pid"
	equal "$(ps -o sid= -p "$pid" | tr -d ' ')" "$pid"
	equal "$(find "$T" -name '*.pid*' | wc -l)" 1
}

@test "the stand-in looks like the program" {
	local pid
	sh_bundle b 'sleep 1000' '.process.args = ["sleep", "1000"]'
	change "$T/b" '.process.args = ["sleep", "1000"]'
	start_container "$c" b
	pid=$(cat "$T/$c.pid")
	equal "$(tr '\0' ' ' <"/proc/$pid/cmdline")" "sleep 1000 "
	equal "$(cat "/proc/$pid/comm")" sleep
	[ -e "/proc/$pid/root/bin/busybox" ]
	local ns
	for ns in net ipc uts pid mnt; do
		[ "$(readlink "/proc/$pid/ns/$ns")" != "$(readlink "/proc/self/ns/$ns")" ]
	done
	equal "$(nsenter --uts="/proc/$pid/ns/uts" hostname)" kata-e2e
}

@test "a signal to the stand-in's pid reaches the program" {
	sh_bundle b 'trap "echo got USR1; exit 9" USR1; echo up; while :; do sleep 0.1; done'
	adopt "$KATA_RUNTIME" --root "$ROOT" create --bundle "$T/b" --pid-file "$T/pid" "$c" \
		</dev/null >"$T/$c.out" 2>"$T/$c.err"
	kata start "$c"
	wait_output "$c" up
	kill -USR1 "$(cat "$T/pid")"
	equal "$(exit_of "$(cat "$T/pid")")" 9
	equal "$(tail -n 1 "$T/$c.out")" "got USR1"
	kata delete "$c"
}

@test "run: a signal to the runtime reaches the program" {
	sh_bundle b 'trap "echo got TERM; exit 9" TERM; echo up; while :; do sleep 0.1; done'
	"$KATA_RUNTIME" --root "$ROOT" run --bundle "$T/b" "$c" \
		</dev/null >"$T/$c.out" 2>"$T/$c.err" 3>&- &
	local runtime=$! status=0
	wait_output "$c" up
	kill -TERM $runtime
	wait $runtime || status=$?
	equal $status 9
	equal "$(tail -n 1 "$T/$c.out")" "got TERM"
}

@test "stdin to stdout, 100 MB, byte for byte" {
	local want
	head -c 100M /dev/urandom >"$T/data"
	want=$(sha256sum <"$T/data")
	bundle b '.process.args = ["sha256sum"]'
	equal "$(head -c 100M "$T/data" | kata run --bundle "$T/b" "$c")" "$want"
	bundle b2 '.process.args = ["cat"]'
	equal "$(head -c 100M "$T/data" | kata run --bundle "$T/b2" "$c" | sha256sum)" "$want"
}

@test "stdin from a file, stdout to a file that is appended to" {
	printf 'one\n' >"$T/out"
	printf 'two\n' >"$T/in"
	bundle b '.process.args = ["cat"]'
	kata run --bundle "$T/b" "$c" <"$T/in" >>"$T/out"
	equal "$(cat "$T/out")" one$'\n'two
}

@test "stdin that ends at once, and that never ends" {
	bundle b '.process.args = ["wc", "-c"]'
	equal "$(kata run --bundle "$T/b" "$c" </dev/null)" 0
	equal "$(printf '' | kata run --bundle "$T/b" "$c")" 0
	bundle t '.process.args = ["true"]'
	mkfifo "$T/fifo"
	sleep 1000 >"$T/fifo" 3>&- &
	kata run --bundle "$T/t" "$c" <"$T/fifo"
}

@test "stdout and stderr stay apart and in order" {
	sh_bundle b 'for i in $(seq 1000); do echo out $i; echo err $i >&2; done'
	kata run --bundle "$T/b" "$c" >"$T/out" 2>"$T/err" </dev/null
	cmp "$T/out" <(seq -f 'out %.0f' 1000)
	cmp "$T/err" <(seq -f 'err %.0f' 1000)
}

@test "a reader that goes away is SIGPIPE to the program" {
	sh_bundle b 'yes; echo "yes: $?" >&2'
	kata run --bundle "$T/b" "$c" 2>"$T/err" </dev/null | head -n 3 >"$T/out"
	equal "$(cat "$T/out")" y$'\n'y$'\n'y
	has "$(cat "$T/err")" "yes: 1"
}

@test "a slow reader loses nothing when the program has ended" {
	sh_bundle b 'head -c 3000000 /dev/zero'
	equal "$(kata run --bundle "$T/b" "$c" </dev/null | { sleep 5; wc -c; })" 3000000
}

@test "a closed stdout and stderr do not hurt" {
	sh_bundle b 'echo hello; exit 4'
	run -4 bash -c '"$KATA_RUNTIME" --root "$ROOT" run --bundle "$T/b" "$c" <&- >&- 2>&-'
}

@test "descriptors above 2 are not kept" {
	sh_bundle b 'sleep 1000'
	mkfifo "$T/fifo"
	exec 7<>"$T/fifo"
	create "$c" b 7>&7
	exec 7>&-
	# nobody else may have it open: then a reader without a writer would wait
	run ! fuser "$T/fifo"
}

@test "flags of the caller's pipe stay" {
	sh_bundle b 'cat'
	python3 - "$KATA_RUNTIME" --root "$ROOT" run --bundle "$T/b" "$c" <<-'END'
		import fcntl, os, subprocess, sys
		r, w = os.pipe()
		r2, w2 = os.pipe()
		before = [fcntl.fcntl(fd, fcntl.F_GETFL) for fd in (r, w2)]
		p = subprocess.Popen(sys.argv[1:], stdin=r, stdout=w2)
		os.write(w, b"hello")
		assert os.read(r2, 100) == b"hello"
		assert [fcntl.fcntl(fd, fcntl.F_GETFL) for fd in (r, w2)] == before
		os.close(w)
		os.close(r)
		assert p.wait(timeout=60) == 0
	END
}

# --- terminals

@test "run --detach and a console socket" {
	sh_bundle b 'tty -s && echo a terminal; stty size; read line; echo "got $line"; exit 5' \
		'.process.terminal = true' '.process.consoleSize = {"height": 33, "width": 99}'
	mkfifo "$T/commands"
	timeout 120 python3 "$e2e_dir/console.py" "$T/sock" "$T/$c.out" "$T/commands" 3>&- &
	eventually 10 test -S "$T/sock"
	adopt "$KATA_RUNTIME" --root "$ROOT" run --detach --bundle "$T/b" --pid-file "$T/pid" \
		--console-socket "$T/sock" "$c" </dev/null >/dev/null 2>"$T/err"
	wait_output "$c" "33 99"
	has "$(cat "$T/$c.out")" "a terminal"
	echo "send hello" >"$T/commands"
	wait_output "$c" "got hello"
	equal "$(exit_of "$(cat "$T/pid")")" 5
	kata delete "$c"
}

@test "a resized terminal" {
	sh_bundle b 'trap "stty size" WINCH; echo up; while :; do sleep 0.1; done' \
		'.process.terminal = true'
	mkfifo "$T/commands"
	timeout 120 python3 "$e2e_dir/console.py" "$T/sock" "$T/$c.out" "$T/commands" 3>&- &
	eventually 10 test -S "$T/sock"
	create "$c" b --console-socket "$T/sock"
	kata start "$c"
	wait_output "$c" up
	echo "size 40 100" >"$T/commands"
	wait_output "$c" "40 100"
	echo "size 10 20" >"$T/commands"
	wait_output "$c" "10 20"
}

@test "a terminal's interrupt key" {
	sh_bundle b 'trap "echo interrupted; exit 6" INT; echo up; while :; do sleep 0.1; done' \
		'.process.terminal = true'
	mkfifo "$T/commands"
	timeout 120 python3 "$e2e_dir/console.py" "$T/sock" "$T/$c.out" "$T/commands" 3>&- &
	eventually 10 test -S "$T/sock"
	create "$c" b --console-socket "$T/sock"
	kata start "$c"
	wait_output "$c" up
	printf 'send \003\n' >"$T/commands"
	wait_output "$c" interrupted
	wait_stopped "$c"
}

@test "a terminal that the engine lets go of does not end the program" {
	sh_bundle b 'echo up; for i in $(seq 50); do echo $i; sleep 0.1; done; echo end >/done' \
		'.process.terminal = true'
	mkfifo "$T/commands"
	timeout 120 python3 "$e2e_dir/console.py" "$T/sock" "$T/$c.out" "$T/commands" 3>&- &
	eventually 10 test -S "$T/sock"
	create "$c" b --console-socket "$T/sock"
	kata start "$c"
	wait_output "$c" up
	echo close >"$T/commands"
	wait_stopped "$c"
	equal "$(cat "$T/b/rootfs/done")" end
}

@test "console socket and terminal belong together" {
	bundle b '.process.terminal = true'
	run ! create "$c" b
	has "$output" "cannot allocate tty if runc will detach without setting console socket"
	bundle b2
	run ! create "$c" b2 --console-socket "$T/sock"
	has "$output" "cannot use console socket if runc will not detach or allocate tty"
}

@test "run on the caller's terminal" {
	sh_bundle b 'tty -s && stty size; read line; echo "got $line"; exit 7' \
		'.process.terminal = true'
	run -7 timeout 90 python3 "$e2e_dir/on_terminal.py" 21 77 "hello" \
		"$KATA_RUNTIME" --root "$ROOT" run --bundle "$T/b" "$c"
	has "$output" "21 77"
	has "$output" "got hello"
	has "$output" "settings restored"
}

# unread FD: how many bytes wait in a pipe
unread()
{
	python3 -c 'import fcntl, struct, sys, termios
print(struct.unpack("i", fcntl.ioctl(int(sys.argv[1]), termios.FIONREAD, b"1234"))[0])' "$1"
}

@test "what waits at stdin is left there until start" {
	mkfifo "$T/in"
	exec 7<>"$T/in"
	echo hello >&7
	sh_bundle b 'read l; echo "got $l"'
	kata create --bundle "$T/b" --pid-file "$T/pid" "$c" <&7 >"$T/out" 2>&1
	equal "$(unread 7)" 6
	kata start "$c"
	wait_stopped "$c"
	equal "$(cat "$T/out")" "got hello"
	kata delete "$c"
	exec 7>&-
}
