#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# userns: user and time namespaces. The guest's ids are the host's, so that the files of a
# rootfs that an engine has given to mapped ids are the container's own.

load helpers

setup()
{
	e2e_setup
}

teardown()
{
	e2e_teardown
}

caps='["CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_KILL", "CAP_MKNOD", "CAP_NET_ADMIN", "CAP_NET_RAW",
	"CAP_SETGID", "CAP_SETUID", "CAP_SYS_ADMIN"]'

# mapped: filter that gives the container ids from 100000 on, and rights over what it owns
mapped()
{
	echo '.linux.namespaces += [{"type": "user"}, {"type": "cgroup"}] |
		.linux.uidMappings = [{"containerID": 0, "hostID": 100000, "size": 3000}] |
		.linux.gidMappings = [{"containerID": 0, "hostID": 100000, "size": 3000}] |
		.process.capabilities |= with_entries(.value = '"$caps"') |
		.mounts += [{"destination": "/sys/fs/cgroup", "type": "cgroup", "source": "cgroup"}]'
}

# shift_ids DIR: as engines do for a container with mapped ids
shift_ids()
{
	find "$1" -printf '%U %G %p\n' | while read -r uid gid path; do
		chown -h $((uid + 100000)):$((gid + 100000)) "$path"
	done
}

# userns_bundle NAME SCRIPT [FILTER...]
userns_bundle()
{
	local name=$1 script=$2
	shift 2
	sh_bundle "$name" "$script" "$(mapped)" "$@"
	shift_ids "$T/$name/rootfs"
}

# say FACT: what the container printed of it
say()
{
	sed -n "s/^$1=//p" "$T/$c.out"
}

look='
try() { name=$1; shift; echo "$name=$("$@" 2>&1 | tr "\n" ";" | tr -s " ")"; }
may() { name=$1; shift; if "$@" 2>/tmp/why; then echo "$name=yes"; else echo "$name=no: $(cat /tmp/why)"; fi; }
'

@test "userns: ids, files, mounts and rights are the container's" {
	userns_bundle b "$look"'
		try id id
		try uid_map cat /proc/self/uid_map
		try gid_map cat /proc/self/gid_map
		try setgroups cat /proc/self/setgroups
		try init_owner stat -c %u:%g /proc/1
		try root_files stat -c %u:%g / /bin/busybox /home/user
		try foreign stat -c %u:%g /foreign/host
		try bound stat -c %u:%g /foreign/ours
		echo made >/made; chown 1000:2000 /made; mkfifo /fifo
		may foreign_write sh -c "echo x >/foreign/host"
		may chown_unmapped chown 5000 /made
		try dev stat -c "%t:%T %a" /dev/null /dev/tty
		may null sh -c "echo x >/dev/null"
		try random sh -c "head -c 4 /dev/urandom | wc -c"
		may mknod mknod /node c 1 3
		may mount mount -t tmpfs none /tmp
		may proc mount -t proc none /var
		may host hostname other
		try hostname hostname
		try pts stat -c "%a %u:%g" /dev/pts
		try mqueue sh -c ": >/dev/mqueue/q; stat -c %u /dev/mqueue/q"
		try sysfs sh -c "ls /sys/class/net | sort"
		may cgroup mkdir /sys/fs/cgroup/below
		may lo ip address add 127.0.0.9/8 dev lo
		may ping sh -c "ping -c 1 -w 9 127.0.0.1 >/dev/null"
		try oom cat /proc/self/oom_score_adj
		try nofile sh -c "ulimit -Hn"
		try sysctl cat /proc/sys/net/ipv4/ip_unprivileged_port_start \
			/proc/sys/kernel/msgmax /proc/sys/kernel/domainname /proc/sys/user/max_mnt_namespaces
		try caps grep -E "CapEff|CapBnd|NoNewPrivs" /proc/self/status
		try stdio stat -L -c %u /proc/self/fd/1
		echo all said; sleep 1000' \
		'.process.oomScoreAdj = -500 | .process.rlimits = [{"type": "RLIMIT_NOFILE", "hard": 524288, "soft": 4096}]' \
		'.linux.sysctl = {"net.ipv4.ip_unprivileged_port_start": "80", "kernel.msgmax": "4242",
			"kernel.domainname": "of.ours", "user.max_mnt_namespaces": "77"}' \
		'.mounts += [{"destination": "/foreign", "type": "bind", "source": "'"$T/foreign"'", "options": ["rbind"]}]'
	mkdir "$T/foreign"
	echo host >"$T/foreign/host"
	echo ours >"$T/foreign/ours"
	chown 100007:100008 "$T/foreign/ours"
	start_container "$c" b
	wait_output "$c" "all said"
	cat "$T/$c.out"
	has "$(say id)" 'uid=0(root) gid=0(root)'
	equal "$(say uid_map)" ' 0 100000 3000;'
	equal "$(say gid_map)" ' 0 100000 3000;'
	equal "$(say setgroups)" 'allow;'
	equal "$(say root_files)" '0:0;0:0;1000:1000;'
	equal "$(say foreign)" '65534:65534;'
	equal "$(say bound)" '7:8;'
	has "$(say foreign_write)" 'no: '
	has "$(say chown_unmapped)" 'no: '
	equal "$(say dev)" '1:3 666;5:0 666;'
	equal "$(say null)" yes
	equal "$(say random)" '4;'
	has "$(say mknod)" 'no: '
	equal "$(say mount)" yes
	equal "$(say host)" yes
	equal "$(say hostname)" 'other;'
	equal "$(say pts)" '755 0:0;'
	equal "$(say mqueue)" '0;'
	has "$(say sysfs)" 'lo;'
	equal "$(say cgroup)" yes
	equal "$(say lo)" yes
	equal "$(say ping)" yes
	equal "$(say oom)" '-500;'
	equal "$(say nofile)" '524288;'
	equal "$(say sysctl)" '80;4242;of.ours;77;'
	equal "$(say stdio)" '0;'
	# the host's view of what was made
	equal "$(stat -c %u:%g "$T/b/rootfs/made")" 101000:102000
	equal "$(stat -c %u:%g "$T/b/rootfs/fifo")" 100000:100000
	# further processes are in it too
	equal "$(kata exec --user 1000:1000 --additional-gids 2000 "$c" sh -c 'id -u; id -G; echo ex >/tmp/ex; stat -c %u:%g /tmp/ex' | tr '\n' ' ')" \
		'1000 1000 2000 1000:1000 '
	equal "$(kata exec "$c" readlink /proc/self/ns/user)" "$(kata exec "$c" readlink /proc/1/ns/user)"
	equal "$(kata exec "$c" sh -c 'cat /proc/self/uid_map; echo x >/root/e; stat -c %u /root/e' | tr -s ' \n' ' ')" ' 0 100000 3000 0 '
	equal "$(stat -c %u "$T/b/rootfs/root/e")" 100000
	# a terminal is its user's
	run timeout 90 python3 "$e2e_dir/on_terminal.py" 21 77 x "$KATA_RUNTIME" --root "$ROOT" exec -t --user 1000 "$c" \
		sh -c 'stat -c "%u %F" "$(tty)"; : </dev/tty; : >/dev/pts/0 && echo opened'
	has "$output" '1000 character special file'
	has "$output" opened
	run -255 kata exec --user 4000 "$c" true
	has "$output" 'cannot set uid to unmapped user in user namespace'
}

@test "userns: a terminal, a user of one's own, time with offsets" {
	# 1000 days of uptime, and a clock a bit before the guest's
	userns_bundle b "$look"'
		stty -echo; echo ready # what is typed now is not seen
		try id id
		try tty stat -c "%u %F" "$(tty)"
		may console sh -c ": >/dev/console"
		try up sh -c "cut -d. -f1 /proc/uptime"
		try offsets cat /proc/self/timens_offsets
		try time readlink /proc/self/ns/time
		until [ -e /tmp/go ]; do sleep 1; done' \
		'.process.terminal = true | .process.user = {"uid": 1000, "gid": 1000, "additionalGids": [2000]}' \
		'.linux.namespaces += [{"type": "time"}]' \
		'.linux.timeOffsets = {"monotonic": {"secs": 7, "nanosecs": 5}, "boottime": {"secs": 86400000}}'
	timeout 180 python3 "$e2e_dir/on_terminal.py" 21 77 x "$KATA_RUNTIME" --root "$ROOT" \
		run --bundle "$T/b" "$c" >"$T/out" 2>&1 3>&- &
	eventually "$E2E_TIMEOUT" is_status "$c" running
	# further processes have the same clocks
	time=$(kata exec "$c" readlink /proc/self/ns/time)
	[ "$(kata exec "$c" cut -d. -f1 /proc/uptime)" -ge 86400000 ]
	kata exec "$c" touch /tmp/go
	wait $!
	tr -d '\r' <"$T/out" >"$T/$c.out"
	cat "$T/$c.out"
	equal "$(say id)" 'uid=1000(user) gid=1000(user) groups=2000(extra);'
	equal "$(say tty)" '1000 character special file;'
	equal "$(say console)" yes
	equal "$(say offsets)" 'monotonic 7 5;boottime 86400000 0;'
	[ "$(say up | tr -d ';')" -ge 86400000 ]
	[ "$(say up | tr -d ';')" -le 86400600 ]
	equal "$(say time)" "$time;"
}

@test "userns: another container joins it by path" {
	local m=$c-member type shim paths=.
	userns_bundle b 'readlink /proc/self/ns/user; echo all said; sleep 1000'
	start_container "$c" b
	wait_output "$c" "all said"
	shim=$(cat "$T/$c.pid")
	# what engines see of it on the host
	equal "$(tr -s ' ' <"/proc/$shim/uid_map")" ' 0 100000 3000'
	equal "$(tr -s ' ' <"/proc/$shim/gid_map")" ' 0 100000 3000'
	for type in user network ipc uts; do
		paths+=" | (.linux.namespaces[] | select(.type == \"$type\")).path = \"/proc/$shim/ns/${type/network/net}\""
	done
	# with the path alone, and then as containerd and CRI-O have it: with the same maps beside it
	userns_bundle member "$look"'
		readlink /proc/self/ns/user
		try id id
		try uid_map cat /proc/self/uid_map
		may mount mount -t tmpfs none /tmp
		try sysfs sh -c "ls /sys/class/net"
		may lo ip address add 127.0.0.8/8 dev lo
		echo all said; sleep 1000' "$paths" 'del(.linux.uidMappings, .linux.gidMappings)' \
		'.process.oomScoreAdj = -300'
	start_container "$m" member
	wait_output "$m" "all said"
	cat "$T/$m.out"
	equal "$(head -n 1 "$T/$m.out")" "$(head -n 1 "$T/$c.out")"
	has "$(cat "$T/$m.out")" 'id=uid=0(root) gid=0(root)'
	has "$(cat "$T/$m.out")" 'uid_map= 0 100000 3000;'
	has "$(cat "$T/$m.out")" 'mount=yes'
	has "$(cat "$T/$m.out")" 'lo=yes'
	equal "$(readlink "/proc/$(cat "$T/$m.pid")/ns/user")" "$(readlink "/proc/$shim/ns/user")"
	equal "$(kata exec --user 7:8 "$m" sh -c 'id -u; cat /proc/1/oom_score_adj' | tr '\n' ' ')" '7 -300 '
	kata delete --force "$m"
	userns_bundle same 'cat /proc/self/uid_map' "$paths"
	has "$(kata run --bundle "$T/same" "$m")" 100000
	userns_bundle differs true "$paths" '.linux.uidMappings[0].size = 2999'
	run kata run --bundle "$T/differs" "$m"
	has "$output" 'both namespace path and non-matching mapping specified'
}

@test "userns: what cannot be is said" {
	refused()
	{
		local text=$1
		shift
		userns_bundle b true "$@"
		run kata run --bundle "$T/b" "$c"
		[ "$status" -ne 0 ]
		has "$output" "$text"
		rm -rf "$T/b"
	}
	refused "user namespace mappings specified, but user namespace isn't enabled" \
		'.linux.namespaces |= map(select(.type != "user"))'
	refused 'no namespace path to join nor mappings to apply specified' \
		'del(.linux.uidMappings, .linux.gidMappings)'
	refused 'linux.uidMappings[1]: host ids overlap with [0]' \
		'.linux.uidMappings += [{"containerID": 5000, "hostID": 100010, "size": 1}]'
	refused 'linux.gidMappings: container id 0 is not mapped' \
		'.linux.gidMappings[0].containerID = 1'
	refused "time namespace offsets specified, but time namespace isn't enabled" \
		'.linux.timeOffsets = {"monotonic": {"secs": 1}}'
	refused "is the host's user namespace, which cannot be joined from a VM" \
		'(.linux.namespaces[] | select(.type == "user")).path = "/proc/self/ns/user"'
	refused 'a time namespace of the host cannot be joined' \
		'.linux.namespaces += [{"type": "time", "path": "/proc/self/ns/time"}]'
	# the VM's part
	refused 'cannot set uid to unmapped user in user namespace: process.user.uid 3000' \
		'.process.user.uid = 3000'
}
