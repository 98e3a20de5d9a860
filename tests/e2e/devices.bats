#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# devices: which nodes a container has and which of them it may use: the guest's filter,
# --privileged, disks of the host.

load helpers

setup()
{
	e2e_setup
}

teardown()
{
	local l
	for l in ${loops:-}; do
		losetup -d "$l" || true
	done
	e2e_teardown
}

# filter: capabilities to make nodes and to open what the owner alone may
may()
{
	local caps='["CAP_MKNOD", "CAP_SYS_ADMIN", "CAP_SYSLOG", "CAP_DAC_OVERRIDE"]'
	echo ".process.capabilities |= (.bounding += $caps | .effective += $caps | .permitted += $caps)"
}

rules()
{
	echo ".linux.resources.devices = [{\"allow\": false, \"access\": \"rwm\"}${1:+, $1}]"
}

@test "devices that no rule allows can be made, not used; defaults and allowed ones can" {
	run in_container '
		mknod /dev/kmsg2 c 1 11 && echo made
		cat /dev/kmsg2; echo "kmsg $?"
		mknod /dev/mem2 c 1 1 && (: </dev/mem2); echo "mem $?"
		echo x >/dev/null && head -c 3 /dev/zero | wc -c
		(: >/dev/ptmx); echo "ptmx $?"
		mknod /dev/hw c 10 183 && (: </dev/hw); echo "read $?"; (: >/dev/hw); echo "write $?"' \
		"$(may)" \
		"$(rules '{"allow": true, "type": "c", "major": 10, "minor": 183, "access": "rm"}')"
	has "$output" made
	has "$output" "kmsg2': Operation not permitted"
	has "$output" "kmsg 1"
	has "$output" "mem2: Operation not permitted"
	has "$output" $'\n3\n'
	has "$output" "ptmx 0"
	# read is let pass, whatever the guest has there
	has_not "$output" "open /dev/hw: Operation not permitted"
	has "$output" "create /dev/hw: Operation not permitted"
	has "$output" "write 1"
}

@test "without rules it is the defaults, as with runc; mknod can be forbidden; exec and update" {
	sh_bundle b 'mknod /dev/kmsg2 c 1 11 && (: </dev/kmsg2); echo "kmsg $?"; sleep 1000' "$(may)" \
		'.mounts += [{"destination": "/sys/fs/cgroup", "type": "cgroup", "source": "cgroup"}]'
	start_container "$c" b
	wait_output "$c" "kmsg 1"
	run kata exec "$c" sh -c ': </dev/kmsg2'
	has "$output" "Operation not permitted"
	echo '{"devices": [{"allow": false, "access": "rwm"},
		{"allow": true, "type": "c", "major": 1, "minor": 11, "access": "r"}]}' |
		kata update --resources - "$c"
	kata exec "$c" sh -c ': </dev/kmsg2'
	echo '{"devices": [{"allow": true, "access": "rwm"},
		{"allow": false, "type": "c", "major": 1, "minor": 11, "access": "m"}]}' |
		kata update --resources - "$c"
	kata exec "$c" sh -c ': >/dev/kmsg2'
	run kata exec "$c" mknod /dev/kmsg3 c 1 11
	has "$output" "Operation not permitted"
	# a number that means another device here, or none; and nothing of the document is applied
	echo '{"pids": {"limit": 77}, "devices": [{"allow": false, "access": "rwm"},
		{"allow": true, "type": "b", "major": 253, "minor": 7, "access": "rw"}]}' >"$T/foreign.json"
	run ! kata update --resources "$T/foreign.json" "$c"
	has "$output" 'linux.resources.devices: \"b 253:7 rw\" is about a block device of the host'
	equal "$(kata exec "$c" cat /sys/fs/cgroup/pids.max)" max
	kata exec "$c" sh -c ': >/dev/kmsg2'
	kata delete --force "$c"
}

@test "who may use everything has the guest's devices, not the host's" {
	sh_bundle b 'ls -l /dev/hwrng /dev/kmsg /dev/sdzz /dev/null /dev/mine; readlink /dev/ptmx
		head -c 1 /dev/kmsg | wc -c' "$(may)" \
		'.linux.resources.devices = [{"allow": false, "access": "rwm"}, {"allow": true, "access": "rwm"}]' \
		'.linux.devices = [
			{"path": "/dev/sdzz", "type": "b", "major": 8, "minor": 0, "fileMode": 432},
			{"path": "/dev/kmsg", "type": "c", "major": 1, "minor": 11, "fileMode": 384, "uid": 7},
			{"path": "/dev/vhost-net", "type": "c", "major": 10, "minor": 238},
			{"path": "/dev/mine", "type": "c", "major": 1, "minor": 5}]'
	mkdir "$T/log"
	run kata --debug --log "$T/log/1" run --bundle "$T/b" "$c" </dev/null
	has "$output" "/dev/sdzz: No such file"
	has "$output" "crw-------    1 7 "
	has "$output" "1,  11"
	has "$output" "1,   5"
	has "$output" pts/ptmx
	[ "${lines[-1]}" = 1 ]
}

@test "a device that the guest has not is refused by name" {
	bundle b '.linux.devices = [{"path": "/dev/kvm", "type": "c", "major": 10, "minor": 232}]'
	run kata create --bundle "$T/b" "$c"
	[ "$status" -ne 0 ]
	has "$output" "linux.devices[0]: /dev/kvm (c 10:232) is a device of the host"
}

# loop TEXT: a device of 1 MB that begins so; prints its name
loop()
{
	local file
	file=$(mktemp "$T/disk.XXXXXX")
	truncate -s 1M "$file"
	printf %s "$1" | dd of="$file" conv=notrunc status=none
	losetup --show -f "$file"
}

@test "block devices of the host: read, write, read-only; not for who joins; none that is not there" {
	local rw ro pid
	rw=$(loop first)
	loops=$rw
	ro=$(loop second)
	loops="$rw $ro"
	local nrw=${rw#/dev/loop} nro=${ro#/dev/loop}
	sh_bundle b 'head -c 5 /dev/xvda; echo; head -c 6 /dev/xvdb; echo
		printf again | dd of=/dev/xvda bs=5 count=1 seek=1 conv=notrunc 2>/dev/null; echo "rw $?"
		(: >>/dev/xvdb) && echo bad; (: >>/dev/xvdb) 2>&1 | grep -c permitted
		stat -c "%a %u" /dev/xvda
		for d in xvda xvdb; do
			n=$((0x$(stat -c %t /dev/$d))):$((0x$(stat -c %T /dev/$d)))
			echo $d ro $(cat /sys/dev/block/$n/ro) size $(cat /sys/dev/block/$n/size)
		done
		mknod /dev/host b 7 '"$nrw"' && (: </dev/host); echo "host $?"; sleep 1000' "$(may)" \
		"$(rules "{\"allow\": true, \"type\": \"b\", \"major\": 7, \"minor\": $nrw, \"access\": \"rw\"},
			{\"allow\": true, \"type\": \"b\", \"major\": 7, \"minor\": $nro, \"access\": \"r\"}")" \
		".linux.devices = [
			{\"path\": \"/dev/xvda\", \"type\": \"b\", \"major\": 7, \"minor\": $nrw, \"fileMode\": 416, \"uid\": 5},
			{\"path\": \"/dev/xvdb\", \"type\": \"b\", \"major\": 7, \"minor\": $nro}]"
	start_container "$c" b
	wait_output "$c" "host "
	equal "$(cat "$T/$c.out")" "$(printf '%s\n' first second 'rw 0' 1 '640 5' 'xvda ro 0 size 2048' \
		'xvdb ro 1 size 2048' 'host 1')"
	pid=$(cat "$T/$c.pid")
	bundle b2 '.linux.devices = [{"path": "/dev/x", "type": "b", "major": 7, "minor": 6}]' \
		'.linux.namespaces |= map(if .type == "network" then .path = "/proc/'"$pid"'/ns/net" else . end)' \
		"$(rules '{"allow": true, "type": "b", "major": 7, "access": "rw"}')"
	run ! create "$c-2" b2
	has "$output" "linux.devices[0]: /dev/x (b 7:6) is a device of the host"
	has "$output" "not to a container that joins one"
	kata delete --force "$c"
	equal "$(head -c 10 "$rw")" firstagain
	change "$T/b2" '.linux.devices[0].major = 77' 'del(.linux.namespaces[] | select(.path) | .path)' \
		"$(rules '{"allow": true, "type": "b", "major": 77, "access": "rw"}')"
	run ! create "$c" b2
	has "$output" "linux.devices[0]: the host has no block device 77:6"
}
