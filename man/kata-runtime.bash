# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# Completion of kata-runtime for bash. Commands and options come from the program itself
# (help --dump: COMMAND<TAB>OPTION<TAB>ARGUMENT), ids from its list.

_kata_runtime()
{
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
	local me=${COMP_WORDS[0]} dump command='' word words=''
	COMPREPLY=()
	dump=$("$me" help --dump 2>/dev/null) || return
	for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
		if cut -f 1 <<<"$dump" | grep -qx -e "$word"; then
			command=$word
			break
		fi
	done
	case $prev in
	--bundle|-b) mapfile -t COMPREPLY < <(compgen -d -- "$cur"); return ;;
	--root) mapfile -t COMPREPLY < <(compgen -d -- "$cur"); return ;;
	--config|--log|--pid-file|--console-socket|--process|--resources)
		mapfile -t COMPREPLY < <(compgen -f -- "$cur"); return ;;
	esac
	if [[ $cur == -* ]]; then
		words=$(awk -F '\t' -v c="$command" '$1 == c && $2 != "" { print $2 }' <<<"$dump")
	elif [ -z "$command" ]; then
		words=$(cut -f 1 <<<"$dump" | sort -u)
	else
		case $command in
		delete|events|exec|kill|pause|ps|resume|start|state|update) words=$("$me" list --quiet 2>/dev/null) ;;
		esac
	fi
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
}
complete -F _kata_runtime kata-runtime
