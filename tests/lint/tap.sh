# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# What the lints share: TAP on stdout and where the tree is. Findings are lines on stdin;
# none is a pass.

top=${KATA_SRCDIR:-$(cd "$(dirname "$0")/../.." && pwd)}
export LC_ALL=C
# a verdict at the end of a pipe counts in this shell
shopt -s lastpipe
tap_n=0
tap_failed=0

# verdict NAME: pass if stdin is empty, else fail and show it
verdict()
{
	local found
	found=$(cat)
	tap_n=$((tap_n + 1))
	if [ -z "$found" ]; then
		echo "ok $tap_n - $1"
		return
	fi
	echo "not ok $tap_n - $1"
	echo "$found" | head -n 50 | sed 's/^/#   /'
	tap_failed=1
}

# skip NAME REASON
skip()
{
	tap_n=$((tap_n + 1))
	echo "ok $tap_n - $1 # SKIP $2"
}

finish()
{
	echo "1..$tap_n"
	exit $tap_failed
}

# c_files DIR...: our C files below the directories, relative to $top
c_files()
{
	(cd "$top" && { find "$@" -name '*.[ch]' 2>/dev/null || true; } | sort)
}

# Our scripts: by their first line, wherever they are
scripts()
{
	(cd "$top" && { find quickstart .ci agent/image hooks man tests -type f 2>/dev/null || true; } |
		sort | while read -r f; do
		case $f in
		*.sh|*.bash|*.bats) echo "$f" ;;
		tests/data/*|tests/fuzz/corpus/*) ;;
		*) if [[ $(head -c 30 "$f" | tr -d '\0') == '#!'*sh* ]]; then
			echo "$f"
		fi ;;
		esac
	done)
}
