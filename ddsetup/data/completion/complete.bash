# Completion of ddsetup for bash. In ~/.bashrc:   eval "$(ddsetup completion bash)"
# or, with the package bash-completion installed, once:
#   ddsetup completion bash > ~/.local/share/bash-completion/completions/ddsetup

_ddsetup() {
    local program=${COMP_WORDS[0]} current=${COMP_WORDS[COMP_CWORD]} value
    [[ $program == "~/"* ]] && program=$HOME/${program:2}
    COMPREPLY=()
    while IFS= read -r value; do
        case $value in
            :files | :directories)
                if ! compopt -o default 2>/dev/null; then
                    COMPREPLY=()
                fi
                ;;
            *)
                # Within quotes the shell takes it as it is; else nothing in it may be more than text.
                case $current in
                    \"* | \'*) COMPREPLY+=("$value") ;;
                    *) COMPREPLY+=("$(printf '%q' "$value")") ;;
                esac
                ;;
        esac
    done < <(_DDSETUP_COMPLETE=bash _DDSETUP_BREAKS=$COMP_WORDBREAKS \
        _DDSETUP_LINE=${COMP_LINE:0:COMP_POINT} "$program" 2>/dev/null)
    # `--site=` goes on without a blank.
    if [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *= ]]; then
        compopt -o nospace 2>/dev/null
    fi
}

complete -F _ddsetup ddsetup
