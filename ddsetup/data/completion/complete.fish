# Completion of ddsetup for fish. Once:
#   ddsetup completion fish > ~/.config/fish/completions/ddsetup.fish

function __ddsetup_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l program $words[1]
    set -e words[1]
    for line in (env _DDSETUP_COMPLETE=fish $program $words "$current" 2>/dev/null)
        switch $line
            case ':files'
                __fish_complete_path "$current"
            case ':directories'
                __fish_complete_directories "$current"
            case '*'
                printf '%s\n' $line
        end
    end
end

complete -c ddsetup -f -k -a '(__ddsetup_complete)'
