#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# mounts: every option of mounts[] is there in the container as runc would have it, links in the image
# lead nowhere, and what cannot be had is refused by its number. One VM has as many as fit.

load helpers

setup()
{
	e2e_setup
}

teardown()
{
	[ ! -d "$T/runc" ] || runc --root "$T/runc" delete --force "$c" >/dev/null 2>&1 || true
	e2e_teardown
}

# mounted FS DIR OPTIONS: on the host, for this test
mounted()
{
	mkdir -p "$2"
	mount -t "$1" -o "$3" "$1" "$2"
}

# unmount DIR...
unmount()
{
	local d
	for d in "$@"; do
		umount -l "$d"
	done
}

# bind NAME OPTION...: an entry of mounts[]: $T/src at /m/NAME
bind()
{
	local name=$1
	shift
	jq -cn --arg s "$T/src" --arg d "/m/$name" \
		'{destination: $d, type: "bind", source: $s, options: $ARGS.positional}' --args "$@"
}

# What both runtimes are asked: "MOUNT-POINT OPTIONS" in one order, less what is masked in /proc (that
# is the kernel's), then what programs see of it.
script='awk "\$5 ~ /^\/(m|tmp|run|dev|proc\$|sys\$)/ { print \$5, \$6 }" /proc/self/mountinfo | sort
	stat -c "%n %F %a %u:%g" /m /m/* /m/made/a /m/ro/sub /m/up/* /dev/mqueue /dev/pts /dev/pts/ptmx /dev/shm
	cat /m/up/file; readlink /m/up/link; ls -A /m/file'

@test "mounts are those that runc makes" {
	mounted tmpfs "$T/src" nosuid,nodev,noatime
	mounted tmpfs "$T/src/sub" noexec,nosuid
	mounted tmpfs "$T/src/sub/deep" ro
	echo file >"$T/src/file"
	local list
	list=$({
		bind plain rbind
		bind alone bind
		bind ro rbind ro
		bind ronly bind ro rprivate
		bind rro rbind rro
		bind rorw rbind ro rrw
		bind many rbind nosuid noexec nodev noatime nodiratime
		bind strict rbind strictatime
		bind relatime rbind relatime nodev
		bind recursive rbind rnosuid rnodev rnoexec rnoatime
		bind undone rbind rsuid rexec rdev rrelatime
		bind below rbind ro rprivate
		bind file bind | jq -c '.source += "/file"'
		bind filero bind ro nosuid | jq -c '.source += "/file"'
		bind made/a/b bind
		echo '{"destination": "/m/fs", "type": "tmpfs", "source": "t",
			"options": ["nosuid", "noexec", "nodev", "nodiratime", "size=1m", "mode=700"]}'
		echo '{"destination": "/m/fsro", "type": "tmpfs", "source": "t", "options": ["ro", "strictatime"]}'
		echo '{"destination": "/m/covers", "type": "tmpfs", "source": "t"}'
		echo '{"destination": "/m/up", "type": "tmpfs", "source": "t", "options": ["tmpcopyup"]}'
	} | jq -cs .)
	sh_bundle b "$script" ".mounts += $list"
	mkdir -p "$T/b/rootfs/m/"{covers,up/dir}
	echo up >"$T/b/rootfs/m/up/file"
	ln -s file "$T/b/rootfs/m/up/link"
	chmod 750 "$T/b/rootfs/m/up/dir"
	chown 1:2 "$T/b/rootfs/m/up/file" "$T/b/rootfs/m/up/dir"
	chmod 3710 "$T/b/rootfs/m/covers"
	cp -a "$T/b" "$T/same"
	runc --root "$T/runc" run --bundle "$T/b" "$c" </dev/null >"$T/expected" 2>&1
	kata run --bundle "$T/same" "$c" </dev/null >"$T/got" 2>&1
	unmount "$T/src/sub/deep" "$T/src/sub" "$T/src"
	has "$(cat "$T/expected")" "/m/rorw/sub"
	has "$(cat "$T/expected")" "/m/up/dir directory 750 1:2"
	diff -u "$T/expected" "$T/got"
}

@test "read-only alone holds at the top, rro below; late mounts of the host arrive where they may" {
	mounted tmpfs "$T/src" mode=755
	mount --make-shared "$T/src"
	mounted tmpfs "$T/src/sub" mode=755
	mkdir "$T/src/late"
	sh_bundle b 'for d in ro rro; do
			echo x >/m/$d/x && echo "$d writable"
			echo x >/m/$d/sub/$d && echo "$d/sub writable"
		done 2>/dev/null
		umount /m/ro/sub 2>/dev/null; mount -o remount,bind,rw /m/ro 2>/dev/null
		echo x >/m/ro/x 2>/dev/null && echo broken
		echo ready
		for i in $(seq 300); do
			[ ! -e /m/slave/late/file ] || break
			sleep 0.1
		done
		cat /m/slave/late/file
		[ ! -e /m/private/late/file ] && echo private
		echo end' ".mounts += [$(bind ro rbind ro), $(bind rro rbind rro),
		$(bind slave rbind rslave), $(bind private rbind rprivate)]"' |
		.process.capabilities |= map_values(. + ["CAP_SYS_ADMIN"])'
	start_container "$c" b
	wait_output "$c" ready
	mounted tmpfs "$T/src/late" mode=755
	echo late >"$T/src/late/file"
	wait_output "$c" end
	equal "$(cat "$T/$c.out")" $'ro/sub writable\nready\nlate\nprivate\nend'
	kata delete --force "$c"
	unmount "$T/src/late"
	equal "$(cat "$T/src/sub/ro")" x
	[ ! -e "$T/src/sub/rro" ]
	unmount "$T/src/sub" "$T/src"
}

@test "devices, /sys and /proc are the guest's own; an overlay of the host's directories" {
	mkdir -p "$T"/{low,lower,up,work}
	echo low >"$T/low/a"
	echo hidden >"$T/lower/a"
	echo lower >"$T/lower/b"
	run -0 in_container 'cat /boot_id /sys2/class/misc/../../kernel/mm/transparent_hugepage/none 2>/dev/null
		echo x >/m/null && wc -c </m/null && stat -c "%F %t %T" /m/null
		ls -d /dev2/vsock; touch /sys2/x 2>&1
		cat /o/a /o/b; echo new >/o/new; rm /o/b
		cat /oro/a; echo x 2>/dev/null >/oro/x || echo read-only
		awk "\$5 ~ /^\/o/ { print \$5, \$6 }" /proc/self/mountinfo' '.mounts += [
		{"destination": "/boot_id", "type": "bind", "source": "/proc/sys/kernel/random/boot_id", "options": ["bind"]},
		{"destination": "/sys2", "type": "bind", "source": "/sys", "options": ["rbind", "ro"]},
		{"destination": "/dev2", "type": "bind", "source": "/dev", "options": ["rbind"]},
		{"destination": "/m/null", "type": "bind", "source": "/dev/null", "options": ["bind"]},
		{"destination": "/o", "type": "overlay", "source": "overlay", "options": ["nodev",
			"lowerdir='"$T/low:$T/lower"'", "upperdir='"$T/up"'", "workdir='"$T/work"'"]},
		{"destination": "/oro", "type": "overlay", "source": "overlay", "options": ["ro",
			"lowerdir='"$T/lower:$T/low"'"]}]'
	[ "${lines[0]}" != "$(cat /proc/sys/kernel/random/boot_id)" ]
	has "$output" $'\n0\ncharacter special file 1 3\n/dev2/vsock\n'
	has "$output" "/sys2/x: Read-only file system"
	has "$output" $'\nlow\nlower\nhidden\nread-only\n/o rw,nodev,relatime\n/oro ro,relatime'
	equal "$(cat "$T/up/new")" new
	[ -c "$T/up/b" ] # a whiteout
}

@test "owners of a bind's files are mapped, those below with ridmap" {
	mkdir -p "$T/src/sub"
	mounted tmpfs "$T/src/sub" mode=755
	echo one >"$T/src/file"
	echo two >"$T/src/sub/file"
	chown 5:6 "$T/src/file" "$T/src/sub/file"
	chmod 777 "$T/src"
	local maps='{"uidMappings": [{"containerID": 0, "hostID": 1000, "size": 100}],
		"gidMappings": [{"containerID": 0, "hostID": 2000, "size": 100}]}'
	run -0 in_container 'stat -c "%u:%g %n" /m/plain/file /m/map/file /m/rmap/sub/file
		stat -c "%u" /m/map/sub/file; echo x >/m/map/new; stat -c "%u:%g" /m/map/new' ".mounts += [
		$(bind plain rbind), $(bind map rbind | jq ". + $maps"), $(bind rmap rbind ridmap | jq ". + $maps")] |
		.process.user = {\"uid\": 1007, \"gid\": 2008}"
	equal "$output" $'5:6 /m/plain/file\n1005:2006 /m/map/file\n1005:2006 /m/rmap/sub/file\n5\n1007:2008'
	equal "$(stat -c %u:%g "$T/src/new")" 7:8
	unmount "$T/src/sub"
}

# refused TEXT MOUNT: create fails and says so in one line, naming mounts[6]
refused()
{
	change "$T/b" ".mounts = (.mounts[0:6] + [$2])"
	run kata create --bundle "$T/b" "$c"
	[ "$status" -ne 0 ] || fail "not refused: $2"
	has "$output" "mounts[6]"
	# the log's own quoting of quotes is not what is looked at
	has "${output//\\\"/\"}" "$1"
}

@test "what cannot be mounted is refused by number and reason" {
	bundle b
	ln -s tmp "$T/b/rootfs/link"
	mkdir "$T/src" "$T/no"
	mount -t ramfs no "$T/no"
	refused 'is the root itself' "$(bind x bind | jq '.destination = "/x/.."')"
	refused '"/proc" cannot be mounted because it is not of type proc' \
		'{"destination": "/proc", "type": "tmpfs", "source": "t"}'
	refused '"/proc/sys" cannot be mounted because it is inside /proc' \
		"$(bind x bind | jq '.destination = "/dev/../proc/./sys"')"
	refused 'filesystem "sysfs" must be mounted on ordinary directory' \
		'{"destination": "/link", "type": "sysfs", "source": "sysfs"}'
	refused 'tmpfs with options "mode=1777,size=many"' \
		'{"destination": "/tmp", "type": "tmpfs", "source": "t", "options": ["size=many"]}'
	refused "$T/none" "$(bind x bind | jq '.source = "'"$T/none"'"')"
	python3 -c 'import socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])' "$T/src/s"
	refused 'file system' "$(bind x bind | jq '.source = "'"$T/no"'" | .uidMappings =
		[{"containerID": 0, "hostID": 1, "size": 1}] | .gidMappings = .uidMappings')"
	refused "a socket cannot cross into the VM" "$(bind x bind | jq '.source += "/s"')"
	refused 'idmap needs uidMappings' "$(bind x idmap)"
	unmount "$T/no"
}

# A root whose links point at $T/outside in every way; LINK... are mount points.
lead_out()
{
	local up=../../../../../../../../../..
	mkdir -p "$T/outside" "$T/src"
	echo safe >"$T/src/file"
	ln -s "$T/outside" "$T/b/rootfs/absolute"
	ln -s "$up$T/outside" "$T/b/rootfs/relative"
	ln -s "/proc/self/root$T/outside" "$T/b/rootfs/magic"
	ln -s absolute "$T/b/rootfs/twice"
}

@test "links in the image lead nowhere, in a root that is writable and one that is not" {
	local ro
	for ro in false true; do
		rm -rf "$T/b" "$T/outside"
		sh_bundle b 'cat /absolute/a/file /relative/r/file /twice/t/file; cat /relative/f; ls /absolute/dir' \
			".root.readonly = $ro | .mounts += [$(for n in absolute/a relative/r twice/t; do
				bind x bind | jq --arg d "/$n" '.destination = $d'
				echo ,
			done) $(bind x bind | jq '.destination = "/relative/f" | .source += "/file"'),
			{\"destination\": \"/absolute/dir\", \"type\": \"tmpfs\", \"source\": \"t\"}]"
		lead_out
		run -0 kata run --bundle "$T/b" "$c" </dev/null
		equal "$output" $'safe\nsafe\nsafe\nsafe'
		equal "$(ls -A "$T/outside")" ""
	done
	change "$T/b" ".mounts = (.mounts[0:6] + [$(bind x bind | jq '.destination = "/magic/m"')])"
	run kata run --bundle "$T/b" "$c" </dev/null
	[ "$status" -ne 0 ]
	has "$output" 'mounts[6]'
	equal "$(ls -A "$T/outside")" ""
}

@test "a directory that becomes a link while the container is made" {
	bundle b ".root.readonly = true |
		.mounts += [$(for n in 1 2 3 4 5 6 7 8; do
			bind x bind | jq --arg d "/swap/$n" '.destination = $d'
			[ $n = 8 ] || echo ,
		done)]"
	lead_out
	mkdir "$T/b/rootfs/swap" "$T/b/rootfs/aside"
	ln -s "$T/outside" "$T/b/rootfs/swap2"
	python3 - "$T/b/rootfs" <<-END 3>&- &
		import ctypes, os, sys
		os.chdir(sys.argv[1])
		libc = ctypes.CDLL(None)
		while os.path.isdir("aside"):
		    libc.renameat2(-100, b"swap", -100, b"swap2", 2)
	END
	local i swapper=$!
	for i in 1 2 3; do
		# either is right: it was a directory, or it was none any more
		kata create --bundle "$T/b" "$c" </dev/null >/dev/null 2>&1 || true
		kata delete --force "$c" || true
		equal "$(ls -A "$T/outside")" ""
	done
	rmdir "$T/b/rootfs/aside"
	wait "$swapper"
}
