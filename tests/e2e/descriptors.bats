#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# descriptors: --preserve-fds and LISTEN_FDS: files, devices, pipes and sockets of the caller in
# the guest, and what is refused.

load helpers

setup()
{
	e2e_setup
}

teardown()
{
	e2e_teardown
}

sleeper()
{
	sh_bundle b 'trap exit TERM; echo up; while :; do sleep 1000 & wait $!; done' "$@"
	start_container "$c" b
	wait_output "$c" up
}

# far KIND... -- ARGUMENT...: kata with descriptors of these kinds from 3 on (descriptors.py)
far()
{
	local kinds=()
	while [ "$1" != -- ]; do
		kinds+=("$1")
		shift
	done
	shift
	timeout -k 5 "$E2E_TIMEOUT" python3 "$e2e_dir/descriptors.py" "${kinds[@]}" -- \
		"$KATA_RUNTIME" --root "$ROOT" "$@" 3>&-
}

# passing ARGUMENT...: kata, with our 3 and up, which the caller has set
passing()
{
	timeout -k 5 "$E2E_TIMEOUT" "$KATA_RUNTIME" --root "$ROOT" "$@"
}

@test "descriptors: files, with mode, flags and offset; directories; devices" {
	sh_bundle b 'cat <&3; echo more >&4; cat /proc/self/fd/5/inside; head -c 3 <&6 | wc -c
		ls /proc/self/fd/5/..; { echo no >&3; } 2>/dev/null || echo read-only
		{ echo no >/proc/self/fd/3; } 2>/dev/null || echo read-only again'
	mkdir "$T/dir"
	echo in >"$T/dir/inside"
	printf 'one\ntwo\n' >"$T/in"
	echo first >"$T/app"
	{
		dd bs=4 count=1 of=/dev/null <&3 2>/dev/null
		run -0 passing run --preserve-fds 4 -b "$T/b" "$c"
	} 3<"$T/in" 4>>"$T/app" 5<"$T/dir" 6</dev/zero
	equal "$output" $'two\nin\n3\ninside\nread-only\nread-only again'
	equal "$(cat "$T/app")" $'first\nmore'
}

@test "descriptors: run: pipes and sockets both ways, their ends, nothing else is there" {
	sh_bundle b 'cat <&3 >&4; cat <&5 >&5; ls /proc/self/fd | tr "\n" " "'
	run -0 far pipe-in:hello pipe-out socket:there -- run --preserve-fds 3 -b "$T/b" "$c"
	has "$output" "4: hello"
	has "$output" "5: there"
	has "$output" "0 1 2 3 4 5 6 " # 6: ls
	has_not "$output" " 7"
	has "$output" "status: 0"
}

@test "descriptors: exec, in the foreground and detached" {
	sleeper
	run -0 far pipe-in:hello pipe-out -- exec --preserve-fds 2 "$c" sh -c 'cat <&3 >&4; exit 7'
	equal "$output" $'4: hello\nstatus: 7'
	run -0 far big pipe-out -- exec --detach --preserve-fds=2 "$c" sh -c 'cat <&3 >&3; echo done >&4'
	equal "$output" $'3: 1048576 same\n4: done\nstatus: 0'
	# a file's name in the shared tree goes with its process
	echo text >"$T/file"
	equal "$(passing exec --preserve-fds 1 "$c" cat /proc/self/fd/3 3<"$T/file")" text
	equal "$(passing exec --preserve-fds 1 "$c" cat /proc/self/fd/3 3<"$T/file")" text
	# with a terminal, and as another user
	equal "$(passing exec --preserve-fds 1 -u 1000 "$c" cat 3<"$T/file" <&3)" text
	run -0 far pipe-out -- exec --preserve-fds 1 -u 1000 "$c" sh -c 'echo again >/proc/self/fd/3'
	has "$output" "3: again"
}

@test "descriptors: create and start: they are held until the program runs" {
	sh_bundle b 'cat <&3; echo to the pipe >&4'
	echo text >"$T/file"
	mkfifo "$T/fifo"
	cat "$T/fifo" >"$T/got" &
	timeout -k 5 "$E2E_TIMEOUT" "$KATA_RUNTIME" --root "$ROOT" create --preserve-fds 2 -b "$T/b" \
		"$c" </dev/null >"$T/$c.out" 2>"$T/$c.err" 3<"$T/file" 4>"$T/fifo"
	rm "$T/file"
	kata start "$c"
	wait_stopped "$c"
	equal "$(cat "$T/$c.out")" text
	eventually 10 grep -q 'to the pipe' "$T/got"
}

@test "descriptors: LISTEN_FDS is told to init, before those of --preserve-fds" {
	sh_bundle b 'env | grep LISTEN | sort; cat <&3; cat <&4'
	run -0 env LISTEN_FDNAMES=name timeout -k 5 "$E2E_TIMEOUT" python3 "$e2e_dir/descriptors.py" \
		--listen-fds 1 pipe-in:first pipe-in:second -- \
		"$KATA_RUNTIME" --root "$ROOT" run --preserve-fds 1 -b "$T/b" "$c" 3>&-
	equal "$output" $'LISTEN_FDNAMES=name\nLISTEN_FDS=1\nLISTEN_PID=1\nfirstsecondstatus: 0'
	# podman counts the same ones in both
	run -0 timeout -k 5 "$E2E_TIMEOUT" python3 "$e2e_dir/descriptors.py" \
		--listen-fds 2 pipe-in:first pipe-in:second -- \
		"$KATA_RUNTIME" --root "$ROOT" run --preserve-fds 2 -b "$T/b" "$c" 3>&-
	equal "$output" $'LISTEN_FDS=2\nLISTEN_PID=1\nfirstsecondstatus: 0'
	# meant for somebody else
	export LISTEN_PID=1 LISTEN_FDS=1
	echo text >"$T/file"
	run passing run -b "$T/b" "$c" 3<"$T/file" 4<"$T/file"
	has_not "$output" LISTEN
	has "$output" "3: Bad file descriptor"
}

# server COUNT: a bundle that answers COUNT connections on each of its listening sockets, in
# capitals, and at the end one that it knows nothing of
server()
{
	bundle b '.root = {"path": "'"$(rootfs_debian)"'", "readonly": true}'
	# shellcheck disable=SC2016 # perl's
	jq --arg p '
		for my $fd (3 .. 2 + $ENV{LISTEN_FDS}) {
			open(my $l, "+<&=", $fd) or die "fd $fd: $!";
			for (1 .. '"$1"') {
				accept(my $c, $l) or die "accept: $!";
				if (fork == 0) {
					local $/;
					my $text = <$c>;
					print $c uc $text;
					exit 0;
				}
				close $c;
			}
		}
		1 while wait != -1;' '.process.args = ["perl", "-e", $p]' \
		"$T/b/config.json" >"$T/b/new"
	mv "$T/b/new" "$T/b/config.json"
}

@test "descriptors: listening sockets: connections are made to the program's own" {
	server 8
	run -0 timeout -k 5 "$E2E_TIMEOUT" python3 "$e2e_dir/descriptors.py" \
		--listen-fds 2 unix:8 tcp:8 -- "$KATA_RUNTIME" --root "$ROOT" run -b "$T/b" "$c" 3>&-
	equal "$output" $'3: 8 good\n4: 8 good\nstatus: 0'
}

@test "descriptors: refused by number and kind, nothing is left" {
	local kind name
	sh_bundle b 'echo never'
	while read -r kind name; do
		run -0 far pipe-out "$kind" -- run --preserve-fds 2 -b "$T/b" "$c"
		has "$output" "--preserve-fds: descriptor 4: is $name, which cannot be passed into a VM"
		has "$output" "status: 1"
	done <<-'END'
		datagram a socket that keeps messages apart (no SOCK_STREAM)
		eventfd anon_inode:[eventfd]
		seqpacket a listening socket that is no unix or TCP stream
		memfd a file without a name (deleted, or a memfd)
		tty a terminal
		rdwr-fifo a fifo that is open for reading and writing
	END
	run -0 far pipe-out gap pipe-out -- run --preserve-fds 3 -b "$T/b" "$c"
	has "$output" "unable to stat preserved-fd 1 (of 3): no such file or directory"
	has "$output" "status: 1"
	[ ! -e "$ROOT/$c" ]
	sleeper
	run -0 far gap -- exec --preserve-fds 1 "$c" true
	has "$output" "exec failed: unable to stat preserved-fd 0 (of 1): no such file or directory"
	has "$output" "status: 255"
}
