#compdef ddsetup
# Completion of ddsetup for zsh. In ~/.zshrc, after compinit:   eval "$(ddsetup completion zsh)"
# or as a file named _ddsetup in a folder of $fpath:
#   ddsetup completion zsh > ~/.zfunc/_ddsetup

_ddsetup() {
    local -a answer described
    local line program=${~words[1]}
    answer=("${(@f)$(_DDSETUP_COMPLETE=zsh $program "${(@Q)words[2,CURRENT]}" 2>/dev/null)}")
    for line in $answer; do
        case $line in
            :files) _files; return ;;
            :directories) _files -/; return ;;
            '') ;;
            *$'\t'*) described+=("${${line%%$'\t'*}//:/\\:}:${line#*$'\t'}") ;;
            *) described+=("${line//:/\\:}") ;;
        esac
    done
    _describe -V ddsetup described
}

if [[ $funcstack[1] == _ddsetup ]]; then
    _ddsetup "$@"
else
    compdef _ddsetup ddsetup
fi
