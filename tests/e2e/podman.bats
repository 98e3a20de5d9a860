#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# podman: the runtime below podman, without network. podman-sid.bats is the same file under
# another name: its tests run with the podman of Debian's development suite.
#
# A VM takes seconds, so that what can be asked of one container is asked of one.

load helpers
load podman

setup_file()
{
	case ${BATS_TEST_FILENAME##*/} in
	podman-sid.bats) podman_setup_file sid ;;
	*) podman_setup_file system ;;
	esac
}

teardown_file()
{
	podman_teardown_file
}

setup()
{
	podman_setup
}

teardown()
{
	podman_teardown
}

# --- run --------------------------------------------------------------------------------------

@test "run: streams, and it is a virtual machine" {
	prun $image sh -c 'echo out; echo err >&2; cat /proc/sys/kernel/random/boot_id' \
		>"$T/out" 2>"$T/err"
	equal "$(head -n 1 "$T/out")" out
	equal "$(cat "$T/err")" err
	[ "$(tail -n 1 "$T/out")" != "$(cat /proc/sys/kernel/random/boot_id)" ]
}

@test "run: exit status of the program" {
	run -0 prun $image true
	run -1 prun $image false
	run -42 prun $image sh -c 'exit 42'
	run -137 prun $image sh -c 'sh -c "kill -KILL \$\$"; exit $?'
}

@test "run: 125, 126 and 127 when there is no program" {
	run -125 prun --no-such-option $image true
	run -126 prun $image /etc/passwd
	has "${output,,}" "permission denied"
	run -127 prun $image no-such-program
	has "$output" "no-such-program"
}

@test "run -i: 100 MB of stdin" {
	head -c 75000000 /dev/urandom | base64 -w 1000 >"$T/big"
	equal "$(prun -i $image sha256sum <"$T/big")" "$(sha256sum <"$T/big")"
}

@test "logs: 100 MB of output, whatever the exit status" {
	local status sum
	head -c 75000000 /dev/urandom | base64 -w 1000 >"$T/big"
	sum=$(sha256sum <"$T/big")
	for status in 0 7; do
		pm run -d --name "$c-$status" --network none -v "$T/big:/big:ro" $image \
			sh -c "cat /big; exit $status" >/dev/null
		equal "$(pm wait "$c-$status")" $status
		equal "$(pm logs "$c-$status" | sha256sum)" "$sum"
		pm rm "$c-$status"
	done
}

# podman tells the terminal's size when the program runs already
sized='until test "$(stty size 2>/dev/null)" = "21 77"; do sleep 0.1; done; stty size; '

@test "run -it on a terminal, run -t" {
	run -3 terminal hello run --rm -it --network none $image \
		sh -c "$sized"'read l; echo "got $l"; test -t 0 && test -t 1 && exit 3'
	has "$output" "21 77"
	has "$output" "got hello"
	has "$output" "settings restored"
	run -0 prun -t $image sh -c 'test -t 1 && echo a terminal'
	has "$output" "a terminal"
}

@test "run -d --rm: gone when it ends" {
	pm run -d --rm --name "$c" --network none -v "$T:/t" $image \
		sh -c 'until test -e /t/end; do sleep 0.1; done' >/dev/null
	exists "$c"
	touch "$T/end"
	eventually "$E2E_TIMEOUT" not_there "$c"
}

@test "create options" {
	printf 'FROM_FILE=value\n' >"$T/env"
	run -0 prun --read-only --read-only-tmpfs=false --tmpfs /scratch:size=8m --shm-size 4m \
		--ulimit nofile=500:600 --ulimit nproc=1024:1024 --cap-drop ALL --cap-add CHOWN --hostname box \
		--workdir /home --env-file "$T/env" -e A=b --init --pids-limit 20 --cpus 0.5 \
		--memory 100m --entrypoint /bin/sh $image -c '
		touch /x 2>/dev/null || echo read-only
		touch /scratch/x && df -k /scratch | awk "NR == 2 { print \$2 }"
		df -k /dev/shm | awk "NR == 2 { print \$2 }"
		ulimit -Sn; ulimit -Hn
		awk "/CapEff/ { print \$2 }" /proc/self/status
		hostname; pwd; echo $FROM_FILE $A
		echo $$ $(tr "\0" " " </proc/1/cmdline | cut -c 1-40)
		cd /sys/fs/cgroup
		cat cpu.max 2>/dev/null || echo $(cat cpu/cpu.cfs_quota_us cpu/cpu.cfs_period_us)
		cat memory.max 2>/dev/null || cat memory/memory.limit_in_bytes
		cat pids.max 2>/dev/null || cat pids/pids.max'
	equal "${lines[0]}" read-only
	equal "${lines[1]}" 8192
	equal "${lines[2]}" 4096
	equal "${lines[3]} ${lines[4]}" "500 600"
	equal "${lines[5]}" 0000000000000001
	equal "${lines[6]} ${lines[7]} ${lines[8]}" "box /home value b"
	has "${lines[9]}" init
	has_not "${lines[9]}" "1 /"
	equal "${lines[10]}" "50000 100000"
	equal "${lines[11]}" $((100 * 1024 * 1024))
	equal "${lines[12]}" 20
}

@test "run: the default seccomp profile, one of the user's, none; exec too" {
	# podman's lets unshare(2) through; swapon(2) it answers with EPERM, the kernel with EINVAL for such a file
	box "$c" --cap-add SYS_ADMIN
	run pm exec "$c" sh -c 'grep -E "^Seccomp:" /proc/self/status; : >/s; swapon /s; echo $?; mkdir /d && echo made'
	has "$output" $'Seccomp:\t2'
	has "$output" "Operation not permitted"
	has "$output" $'\n1\nmade'
	printf '%s' '{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["mkdir", "mkdirat"],
		"action": "SCMP_ACT_ERRNO", "errnoRet": 100}]}' >"$T/profile.json"
	run prun --security-opt "seccomp=$T/profile.json" $image sh -c 'mkdir /d; unshare -U true && echo may'
	has "$output" "Network is down"
	has "$output" may
	run prun --security-opt seccomp=unconfined --cap-add SYS_ADMIN $image sh -c '
		grep -E "^Seccomp:" /proc/self/status; : >/s; swapon /s'
	has "$output" $'Seccomp:\t0'
	has "$output" "Invalid argument"
}

@test "run --privileged: the guest's devices, not the host's; --device: refused by name" {
	[ -b /dev/loop0 ] || mknod /dev/loop0 b 7 0
	run -0 prun --privileged $image sh -c 'head -c 1 /dev/kmsg | wc -c
		ls -d /dev/loop0 /dev/null; mount -t tmpfs none /tmp && grep -c " /tmp tmpfs" /proc/mounts
		mknod /tmp/k c 1 11 && head -c 1 /tmp/k | wc -c'
	equal "$(grep -v /dev/loop0 <<<"$output")" $'1\n/dev/null\n1\n1'
	run ! prun --device /dev/loop-control $image true
	has "$output" "/dev/loop-control (c 10:237) is a device of the host"
}

@test "run --user; --pids-limit holds" {
	run ! prun --user 1000:2000 --group-add 77 --pids-limit 10 $image sh -c '
		id -u; id -g; id -G
		for i in 1 2 3 4 5 6 7 8 9 10 11 12; do sleep 100 & done'
	equal "${lines[0]} ${lines[1]}" "1000 2000"
	has "${lines[2]}" 77
	has "$output" "can't fork"
}

@test "volumes: directories, files, ro and rw, named ones" {
	mkdir "$T/d"
	echo directory >"$T/d/in"
	echo file >"$T/f"
	run -0 prun -v "$T/d:/rw" -v "$T/d:/ro:ro" -v "$T/f:/f" -v "$T/f:/fro:ro" -v "$c:/named" $image \
		sh -c 'cat /rw/in /ro/in /f /fro
			touch /ro/x 2>/dev/null || echo ro
			echo x 2>/dev/null >/fro || echo ro
			echo out >/rw/out; echo changed >/f; echo kept >/named/kept'
	equal "$output" $'directory\ndirectory\nfile\nfile\nro\nro'
	equal "$(cat "$T/d/out")" out
	equal "$(cat "$T/f")" changed
	[ ! -e "$T/d/x" ]
	equal "$(prun -v "$c:/named" $image cat /named/kept)" kept
	pm volume rm "$c"
}

@test "volumes: an overlay, propagation, read-only without what is mounted below" {
	mkdir -p "$T/d/sub"
	mount -t tmpfs below "$T/d/sub"
	echo file >"$T/d/file"
	run prun -v "$T/d:/o:O" -v "$T/d:/ro:ro,rbind" -v "$T/d:/slave:rbind,rslave" $image sh -c '
		cat /o/file; echo new >/o/file && cat /o/file
		echo x 2>/dev/null >/ro/x || echo ro
		echo x >/ro/sub/x && cat /slave/sub/x'
	umount "$T/d/sub"
	equal "$output" $'file\nnew\nro\nx'
	equal "$(cat "$T/d/file")" file
}

@test "run --memory: killed, 137, OOMKilled" {
	# conmon 2.1.6 of Debian 12 notes it in its working directory, where podman does not look:
	# OOMKilled stays false there with any runtime
	cd "$T"
	run -137 pm run --name "$c" --network none --memory 50m $image sh -c '
		awk "BEGIN { for (a = \"x\";;) a = a a }"
		exit $?'
	wait_state "$c" exited # "stopped" until podman has cleaned up, in the background
	equal "$(inspected "$c" .State.ExitCode)" 137
	[ -e "$T/oom" ] || equal "$(inspected "$c" .State.OOMKilled)" true
	pm rm "$c"
}

@test "found as /usr/bin/kata-runtime without configuration" {
	mkdir "$T/bin"
	# what stands there finds its helpers where they are installed
	ln -s "${KATA_RUNTIME:-/usr/local/bin/kata-runtime}" "$T/bin/kata-runtime"
	containers_conf "$(conf_prefix)" no-runtimes >"$T/containers.conf"
	run -0 env CONTAINERS_CONF="$T/containers.conf" timeout -k 5 "$E2E_TIMEOUT" unshare -m sh -c '
		mount -t overlay -o "lowerdir=$1:/usr/bin" none /usr/bin && shift && exec "$@"' sh \
		"$T/bin" "$P/podman" --runtime kata run --rm --network none $image uname -r 3>&-
	[ "$output" != "$(uname -r)" ]
}

# the prefix of the podman in use, out of its containers.conf
conf_prefix()
{
	sed -n 's|^init_path = "\(.*\)/usr/bin/catatonit"|\1|p' "$P/containers.conf"
}

# --- a running container ----------------------------------------------------------------------

@test "exec" {
	box "$c" -e OF_BOX=1
	run -0 pm exec "$c" sh -c 'echo out; echo err >&2; echo $OF_BOX'
	has "$output" out
	has "$output" err
	run -0 pm exec -u 1000:1000 -w /tmp -e A=b "$c" sh -c 'id -u; pwd; echo $A'
	equal "$output" $'1000\n/tmp\nb'
	run -42 pm exec "$c" sh -c 'exit 42'
	run -127 pm exec "$c" no-such-program
	run -126 pm exec "$c" /etc/passwd
	run -125 pm exec no-such-container true
	run -137 pm exec "$c" sh -c 'kill -KILL $$'
	equal "$(seq 300000 | pm exec -i "$c" sha256sum)" "$(seq 300000 | sha256sum)"
	equal "$(pm exec "$c" seq 300000 | sha256sum)" "$(seq 300000 | sha256sum)"
	pm exec -d "$c" sh -c 'echo detached >/d'
	eventually 30 pm exec "$c" grep -q detached /d
	run -5 terminal hello exec -it "$c" sh -c "$sized"'read l; echo "got $l"; exit 5'
	has "$output" "21 77"
	has "$output" "got hello"
	has "$output" "settings restored"
}

@test "exec: eight at once; they end with the container" {
	local i pids=() status
	box "$c"
	for i in 1 2 3 4 5 6 7 8; do
		pm exec "$c" sh -c "echo number $i; exit $i" >"$T/out.$i" &
		pids+=($!)
	done
	for i in 1 2 3 4 5 6 7 8; do
		status=0
		wait "${pids[$((i - 1))]}" || status=$?
		equal "$status $(cat "$T/out.$i")" "$i number $i"
	done
	pm exec "$c" sh -c 'echo up; sleep 1000' >"$T/out" 2>&1 &
	eventually 30 grep -q up "$T/out"
	pm kill "$c"
	status=0
	wait $! || status=$?
	equal $status 137
	run ! pm exec "$c" true
	pm rm "$c"
}

@test "top and stats" {
	pm run -d --name "$c" --network none $image sh -c 'echo up; sleep 1234; true' >/dev/null
	wait_logged "$c" up
	run -0 pm top "$c"
	has "$output" "sleep 1234"
	run -0 pm top "$c" pid args
	has "${lines[0]}" PID
	has "$output" "sleep 1234"
	run -0 pm stats --no-stream --format json "$c"
	equal "$(jq -r '.[0].name' <<<"$output")" "$c"
	[ "$(jq -r '.[0].pids' <<<"$output")" -ge 1 ]
	has_not "$(jq -r '.[0].mem_usage' <<<"$output")" "0B /"
	has_not "$(jq -r '.[0].mem_usage' <<<"$output")" "--"
	has_not "$(jq -r '.[0].cpu_time' <<<"$output")" "--"
}

@test "cp, both ways, running, stopped and created" {
	mkdir -p "$T/tree/sub"
	echo deep >"$T/tree/sub/file"
	echo file >"$T/file"
	pm create --name "$c" --network none $image \
		sh -c 'trap "exit 0" TERM; cat /file; echo inside >/inside; echo up; while :; do sleep 0.1; done' >/dev/null
	pm cp "$T/file" "$c:/file"
	pm start "$c"
	wait_logged "$c" up
	logged "$c" file
	pm cp "$T/tree" "$c:/tmp/tree"
	equal "$(pm exec "$c" cat /tmp/tree/sub/file)" deep
	pm cp "$c:/inside" "$T/inside"
	equal "$(cat "$T/inside")" inside
	pm exec "$c" sh -c 'mkdir /out; echo 1 >/out/1; echo 2 >/out/2'
	pm cp "$c:/out" "$T/out.running"
	equal "$(cat "$T"/out.running/*)" $'1\n2'
	pm stop -t 20 "$c"
	pm cp "$c:/out" "$T/out.stopped"
	equal "$(cat "$T"/out.stopped/*)" $'1\n2'
}

@test "pause and unpause" {
	pm run -d --name "$c" --network none -v "$T:/t" $image \
		sh -c 'while :; do echo >>/t/beats; sleep 0.1; done' >/dev/null
	eventually "$E2E_TIMEOUT" test -s "$T/beats"
	pm pause "$c"
	equal "$(inspected "$c" .State.Status)" paused
	local before
	before=$(wc -l <"$T/beats")
	run ! pm exec "$c" true
	sleep 0.5
	equal "$(wc -l <"$T/beats")" "$before"
	pm unpause "$c"
	equal "$(inspected "$c" .State.Status)" running
	eventually 30 more_than "$before" "$T/beats"
	pm exec "$c" true
	pm pause "$c"
	pm rm -f -t 0 "$c"
	not_there "$c"
}

more_than()
{
	[ "$(wc -l <"$2")" -gt "$1" ]
}

@test "update" {
	box "$c" --memory 100m --pids-limit 50
	local pids=50 options=(--memory 64m --cpus 0.25)
	if pm update --help | grep -q -- --pids-limit; then
		options+=(--pids-limit 33)
		pids=33
	fi
	pm update "${options[@]}" "$c"
	run -0 pm exec "$c" sh -c 'cd /sys/fs/cgroup
		cat memory.max 2>/dev/null || cat memory/memory.limit_in_bytes
		cat cpu.max 2>/dev/null || echo $(cat cpu/cpu.cfs_quota_us cpu/cpu.cfs_period_us)
		cat pids.max 2>/dev/null || cat pids/pids.max'
	equal "$output" "$((64 * 1024 * 1024))"$'\n25000 100000\n'$pids
}

@test "healthcheck run" {
	box "$c" --health-cmd 'test -e /healthy' --health-interval disable --health-retries 1
	run -1 pm healthcheck run "$c"
	pm exec "$c" touch /healthy
	run -0 pm healthcheck run "$c"
	equal "$(inspected "$c" .State.Health.Status)" healthy
}

# --- how it ends ------------------------------------------------------------------------------

@test "stop, start, restart, kill -s, wait, rm" {
	pm create --name "$c" --network none -v "$T:/t" $image sh -c '
		trap "echo usr1 >>/t/said" USR1
		trap "echo term >>/t/said; exit 5" TERM
		echo x >>/count; wc -l </count >>/t/counts
		while :; do sleep 0.1; done' >/dev/null
	pm start "$c"
	eventually "$E2E_TIMEOUT" grep -qx 1 "$T/counts"
	pm kill -s USR1 "$c"
	eventually 30 grep -q usr1 "$T/said"
	pm stop -t 20 "$c"
	grep -q term "$T/said"
	equal "$(inspected "$c" .State.ExitCode)" 5
	pm start "$c"
	eventually "$E2E_TIMEOUT" grep -qx 2 "$T/counts"
	pm restart -t 20 "$c"
	eventually "$E2E_TIMEOUT" grep -qx 3 "$T/counts"
	pm wait "$c" >"$T/waited" &
	run ! pm rm "$c"
	pm kill "$c"
	wait $!
	equal "$(cat "$T/waited")" 137
	pm rm "$c"
}

@test "stop: 143 with an init, 137 after the time for one who does not listen" {
	pm run -d --init --name "$c" --network none $image sh -c 'echo up; exec sleep 1000' >/dev/null
	wait_logged "$c" up # so the init is ready for signals
	pm stop -t 30 "$c"
	equal "$(inspected "$c" .State.ExitCode)" 143
	pm run -d --name "$c-deaf" --network none $image sleep 1000 >/dev/null
	pm stop -t 1 "$c-deaf"
	equal "$(inspected "$c-deaf" .State.ExitCode)" 137
}

@test "run --restart on-failure" {
	pm run -d --name "$c" --network none --restart on-failure:2 -v "$T:/t" $image \
		sh -c 'echo x >>/t/starts; exit 1' >/dev/null
	eventually "$E2E_TIMEOUT" is_inspected "$c" .RestartCount 2
	wait_state "$c" exited
	equal "$(wc -l <"$T/starts")" 3
	equal "$(inspected "$c" .State.ExitCode)" 1
}

@test "attach and detach" {
	pm run -dit --name "$c" --network none $image \
		sh -c 'while :; do read -t 1 l && echo "got $l"; echo tick; done' >/dev/null
	# what Enter sends: of longer sequences podman wants each key in a read of its own
	run -0 terminal '' attach --detach-keys ctrl-m "$c"
	has "$output" "settings restored"
	equal "$(inspected "$c" .State.Status)" running
	pm rm -f -t 0 "$c"
	pm create --name "$c" --network none -i $image sh -c 'read l; echo "got $l"; exit 9' >/dev/null
	run -9 pm start -ai "$c" <<<hello
	equal "$output" "got hello"
}

@test "run --sdnotify=container: conmon hears it; --sdnotify=conmon" {
	local id
	cp "$(notify_say)" "$T/say"
	timeout -k 5 "$E2E_TIMEOUT" "$e2e_dir/notified.py" --listen 3 "$T/manager" "$P/podman" run -d \
		--name n --network none --sdnotify container -v "$T/say:/bin/say:ro" "$image" sh -c \
		'say "READY=1\nMAINPID=1"; trap exit TERM; while :; do sleep 1 & wait $!; done' \
		>"$T/said" 3>&-
	id=$(inspected n .Id)
	# podman names conmon as the service's process, and the order is not ours
	equal "$(grep -c '^READY=1$' "$T/said")" 1
	has "$(cat "$T/said")" "$id"$'\n'
	has "$(cat "$T/said")" "MAINPID=$(inspected n .State.ConmonPid)"
	has "$(cat "$T/said")" "status 0"
	pm rm -f -t 0 n
	timeout -k 5 "$E2E_TIMEOUT" "$e2e_dir/notified.py" --listen 1 "$T/manager2" "$P/podman" run -d \
		--name n --network none --sdnotify conmon "$image" sh -c \
		'[ -z "$NOTIFY_SOCKET" ]; echo $?; sleep 1000' >"$T/said" 3>&-
	has "$(cat "$T/said")" READY=1
	wait_logged n '^0$'
	pm rm -f -t 0 n
}

@test "logs -f ends with the container and has it all" {
	pm run -d --name "$c" --network none -v "$T:/t" $image sh -c '
		echo first
		until test -e /t/end; do sleep 0.1; done
		seq 1000; echo last' >/dev/null
	pm logs -f "$c" >"$T/followed" 2>&1 &
	eventually "$E2E_TIMEOUT" grep -q first "$T/followed"
	touch "$T/end"
	wait $!
	equal "$(cat "$T/followed")" "$(echo first; seq 1000; echo last)"
}

@test "conmon killed: it can be removed, and nothing stays" {
	local pid
	box "$c"
	wait_logged "$c" up
	pid=$(inspected "$c" .State.Pid)
	kill -KILL "$(inspected "$c" .State.ConmonPid)"
	# podman 4.3 waits for conmon's exit file in vain, and says so
	run pm kill "$c"
	eventually 30 gone "$pid"
	pm rm -f -t 0 "$c"
	not_there "$c"
}

@test "podman killed: the container knows nothing of it" {
	local client
	"$P/podman" run --name "$c" --network none -v "$T:/t" $image sh -c '
		echo up; until test -e /t/end; do sleep 0.1; done; echo still here; exit 6' \
		</dev/null >"$T/out" 2>&1 3>&- &
	client=$!
	eventually "$E2E_TIMEOUT" grep -q up "$T/out"
	kill -KILL $client
	wait $client || true
	equal "$(inspected "$c" .State.Status)" running
	pm exec "$c" true
	touch "$T/end"
	equal "$(pm wait "$c")" 6
	logged "$c" "still here"
}

# --- pods -------------------------------------------------------------------------------------

boot_id()
{
	pm exec "$1" cat /proc/sys/kernel/random/boot_id
}

@test "pod: two containers in one virtual machine" {
	pm pod create --name "$c" --network none --hostname the-pod >/dev/null
	pm_in_pod one
	pm_in_pod two
	equal "$(boot_id "$c-one")" "$(boot_id "$c-two")"
	[ "$(boot_id "$c-one")" != "$(cat /proc/sys/kernel/random/boot_id)" ]
	equal "$(pm exec "$c-one" hostname) $(pm exec "$c-two" hostname)" "the-pod the-pod"
	local ns
	for ns in ipc uts; do
		equal "$(pm exec "$c-one" readlink /proc/self/ns/$ns)" \
			"$(pm exec "$c-two" readlink /proc/self/ns/$ns)"
	done
	pm exec "$c-one" sh -c 'echo shared >/dev/shm/x; echo mine >/tmp/x'
	equal "$(pm exec "$c-two" cat /dev/shm/x)" shared
	run ! pm exec "$c-two" cat /tmp/x
	run -0 pm pod ps --format '{{.Name}} {{.Status}} {{.NumberOfContainers}}'
	equal "$output" "$c Running 3"
	# the first that came goes, the other stays
	pm rm -f -t 0 "$c-one"
	pm exec "$c-two" true
	pm_in_pod three
	equal "$(boot_id "$c-three")" "$(boot_id "$c-two")"
	pm rm -f -t 0 "$c-three" "$c-two"
	pm pod rm "$c" -f
	run -0 pm pod ps -q
	equal "$output" ""
}

pm_in_pod()
{
	pm run -d --pod "$c" --name "$c-$1" $image \
		sh -c 'trap "exit 0" TERM; while :; do sleep 0.1; done' >/dev/null
}

@test "pod: stop, start, kill, rm -f of all at once" {
	pm pod create --name "$c" --network none >/dev/null
	pm_in_pod one
	pm_in_pod two
	pm pod stop -t 20 "$c"
	equal "$(inspected "$c-one" .State.Status) $(inspected "$c-two" .State.Status)" "exited exited"
	pm pod start "$c"
	equal "$(boot_id "$c-one")" "$(boot_id "$c-two")"
	pm pod kill "$c"
	wait_state "$c-one" exited
	wait_state "$c-two" exited
	pm pod start "$c"
	pm pod rm -f -t 0 "$c"
	not_there "$c-one"
	not_there "$c-two"
}

@test "generate kube, play kube" {
	pm pod create --name "$c" --network none >/dev/null
	pm_in_pod one
	pm generate kube "$c" >"$T/pod.yaml"
	pm pod rm -f -t 0 "$c"
	pm play kube --network none "$T/pod.yaml"
	wait_state "$c-$c-one" running
	pm exec "$c-$c-one" true
	pm play kube --down "$T/pod.yaml"
	not_there "$c-$c-one"
}
