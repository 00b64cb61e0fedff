# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_creel_global_optspecs
    string join \n h/help V/version
end

function __fish_creel_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_creel_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_creel_using_subcommand
    set -l cmd (__fish_creel_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c creel -n "__fish_creel_needs_command" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c creel -n "__fish_creel_needs_command" -s V -l version -d 'Print version'
complete -c creel -n "__fish_creel_needs_command" -f -a "run" -d 'Run a command in a sandbox of its own'
complete -c creel -n "__fish_creel_needs_command" -f -a "exec" -d 'Run a further command in a running sandbox'
complete -c creel -n "__fish_creel_needs_command" -f -a "attach" -d 'Join your terminal to a running sandbox\'s'
complete -c creel -n "__fish_creel_needs_command" -f -a "approve" -d 'Answer what sandboxes ask, or list it'
complete -c creel -n "__fish_creel_needs_command" -f -a "ps" -d 'List sandboxes'
complete -c creel -n "__fish_creel_needs_command" -f -a "logs" -d 'Show what a sandbox\'s command printed'
complete -c creel -n "__fish_creel_needs_command" -f -a "stop" -d 'Stop running sandboxes'
complete -c creel -n "__fish_creel_needs_command" -f -a "kill" -d 'Send a signal to the command of running sandboxes'
complete -c creel -n "__fish_creel_needs_command" -f -a "rm" -d 'Remove sandboxes that have ended'
complete -c creel -n "__fish_creel_needs_command" -f -a "policy" -d 'See, check and trust policies'
complete -c creel -n "__fish_creel_needs_command" -f -a "rules" -d 'See the rules about dangerous commands, and try commands on them'
complete -c creel -n "__fish_creel_needs_command" -f -a "audit" -d 'Show what happened in sandboxes'
complete -c creel -n "__fish_creel_needs_command" -f -a "doctor" -d 'Say what enforces each line of the policy on this machine'
complete -c creel -n "__fish_creel_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c creel -n "__fish_creel_using_subcommand run" -l detach-keys -d 'Keys that leave the sandbox running and give the terminal back' -r
complete -c creel -n "__fish_creel_using_subcommand run" -l name -d 'The sandbox\'s name, and its host name [default: made up]' -r
complete -c creel -n "__fish_creel_using_subcommand run" -l policy -d 'The policy file [default: the creel.toml found from here upwards]' -r -F
complete -c creel -n "__fish_creel_using_subcommand run" -l preset -d 'A policy that ships with creel: claude-code, codex, …; none for the bare defaults' -r
complete -c creel -n "__fish_creel_using_subcommand run" -l set -d 'One key of the policy, such as limits.time=2h' -r
complete -c creel -n "__fish_creel_using_subcommand run" -l image -d 'The image, or “host” for the host\'s own tools' -r
complete -c creel -n "__fish_creel_using_subcommand run" -l pull -d 'When to pull the image' -r -f -a "always\t''
missing\t''
never\t''"
complete -c creel -n "__fish_creel_using_subcommand run" -l entrypoint -d 'In place of the image\'s entrypoint; "" for none' -r
complete -c creel -n "__fish_creel_using_subcommand run" -s e -l env -d 'Set a variable, or hand on the host\'s' -r
complete -c creel -n "__fish_creel_using_subcommand run" -l env-file -d 'Read variables from a file' -r -F
complete -c creel -n "__fish_creel_using_subcommand run" -s v -l volume -d 'Show a path of the host' -r
complete -c creel -n "__fish_creel_using_subcommand run" -s w -l workdir -d 'Start in this folder of the sandbox' -r -F
complete -c creel -n "__fish_creel_using_subcommand run" -s u -l user -d 'Run as this user, by number [default: you]' -r
complete -c creel -n "__fish_creel_using_subcommand run" -l tmpfs -d 'A memory file system' -r
complete -c creel -n "__fish_creel_using_subcommand run" -l network -d 'The network; “none” is what there is' -r
complete -c creel -n "__fish_creel_using_subcommand run" -s l -l label -d 'A label for the sandbox\'s containers' -r
complete -c creel -n "__fish_creel_using_subcommand run" -s m -l memory -d 'Memory, swap included' -r
complete -c creel -n "__fish_creel_using_subcommand run" -l cpus -d 'Processors' -r
complete -c creel -n "__fish_creel_using_subcommand run" -l pids-limit -d 'Processes and threads' -r
complete -c creel -n "__fish_creel_using_subcommand run" -l shm-size -d 'Size of /dev/shm' -r
complete -c creel -n "__fish_creel_using_subcommand run" -l ulimit -d 'A resource limit of every process' -r
complete -c creel -n "__fish_creel_using_subcommand run" -s i -l interactive -d 'Forward stdin from a terminal too when the command gets no terminal of its own; with --detach, keep it open for later. Pipes and files are always forwarded'
complete -c creel -n "__fish_creel_using_subcommand run" -s t -l tty -d 'Give the command a terminal [default: when stdin and stdout are terminals]'
complete -c creel -n "__fish_creel_using_subcommand run" -l no-tty -d 'Give the command no terminal'
complete -c creel -n "__fish_creel_using_subcommand run" -s d -l detach -d 'Run in the background, and print the sandbox\'s name'
complete -c creel -n "__fish_creel_using_subcommand run" -l rm -d 'Remove the sandbox when it ends; in the foreground that is always done'
complete -c creel -n "__fish_creel_using_subcommand run" -l dry-run -d 'Change nothing; print the docker commands that this run stands for'
complete -c creel -n "__fish_creel_using_subcommand run" -l json -d 'With --detach and --dry-run: print JSON'
complete -c creel -n "__fish_creel_using_subcommand run" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c creel -n "__fish_creel_using_subcommand exec" -l detach-keys -d 'Keys that leave the sandbox running and give the terminal back' -r
complete -c creel -n "__fish_creel_using_subcommand exec" -s e -l env -d 'Set a variable, or hand on the host\'s' -r
complete -c creel -n "__fish_creel_using_subcommand exec" -l env-file -d 'Read variables from a file' -r -F
complete -c creel -n "__fish_creel_using_subcommand exec" -s u -l user -d 'Run as this user: a name of the image\'s, or numbers' -r
complete -c creel -n "__fish_creel_using_subcommand exec" -s w -l workdir -d 'Start in this folder of the sandbox' -r
complete -c creel -n "__fish_creel_using_subcommand exec" -s i -l interactive -d 'Forward stdin from a terminal too when the command gets no terminal of its own; with --detach, keep it open for later. Pipes and files are always forwarded'
complete -c creel -n "__fish_creel_using_subcommand exec" -s t -l tty -d 'Give the command a terminal [default: when stdin and stdout are terminals]'
complete -c creel -n "__fish_creel_using_subcommand exec" -l no-tty -d 'Give the command no terminal'
complete -c creel -n "__fish_creel_using_subcommand exec" -s d -l detach -d 'Let it run without waiting for it'
complete -c creel -n "__fish_creel_using_subcommand exec" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c creel -n "__fish_creel_using_subcommand attach" -l detach-keys -d 'Keys that leave the sandbox running and give the terminal back' -r
complete -c creel -n "__fish_creel_using_subcommand attach" -l no-stdin -d 'Only look: what you type stays here'
complete -c creel -n "__fish_creel_using_subcommand attach" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c creel -n "__fish_creel_using_subcommand approve" -l once -d 'Yes, this once'
complete -c creel -n "__fish_creel_using_subcommand approve" -l session -d 'Yes, and the same command until the sandbox ends'
complete -c creel -n "__fish_creel_using_subcommand approve" -l rule -d 'Yes, and all that its rules are about until the sandbox ends'
complete -c creel -n "__fish_creel_using_subcommand approve" -l always -d 'Yes, and the same command in every sandbox of yours'
complete -c creel -n "__fish_creel_using_subcommand approve" -l deny -d 'No'
complete -c creel -n "__fish_creel_using_subcommand approve" -l stop -d 'No, and stop the sandbox'
complete -c creel -n "__fish_creel_using_subcommand approve" -l watch -d 'Stay, and ask each question as it comes'
complete -c creel -n "__fish_creel_using_subcommand approve" -l json -d 'One line of JSON a question'
complete -c creel -n "__fish_creel_using_subcommand approve" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c creel -n "__fish_creel_using_subcommand ps" -s a -l all -d 'Those that have ended, too'
complete -c creel -n "__fish_creel_using_subcommand ps" -s q -l quiet -d 'Names alone'
complete -c creel -n "__fish_creel_using_subcommand ps" -l json -d 'One JSON object a line'
complete -c creel -n "__fish_creel_using_subcommand ps" -l no-trunc -d 'Do not shorten commands'
complete -c creel -n "__fish_creel_using_subcommand ps" -s h -l help -d 'Print help'
complete -c creel -n "__fish_creel_using_subcommand logs" -s n -l tail -d 'The last lines alone' -r
complete -c creel -n "__fish_creel_using_subcommand logs" -l since -d 'What was printed since then: 10m, 2026-11-25T04:00:00Z' -r
complete -c creel -n "__fish_creel_using_subcommand logs" -l until -d 'What was printed before then' -r
complete -c creel -n "__fish_creel_using_subcommand logs" -s f -l follow -d 'Go on with what it prints from now on'
complete -c creel -n "__fish_creel_using_subcommand logs" -s t -l timestamps -d 'Each line with its time'
complete -c creel -n "__fish_creel_using_subcommand logs" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c creel -n "__fish_creel_using_subcommand stop" -s t -l time -l timeout -d 'Seconds between SIGTERM and SIGKILL' -r
complete -c creel -n "__fish_creel_using_subcommand stop" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c creel -n "__fish_creel_using_subcommand kill" -s s -l signal -d 'The signal, by name or number' -r
complete -c creel -n "__fish_creel_using_subcommand kill" -s h -l help -d 'Print help'
complete -c creel -n "__fish_creel_using_subcommand rm" -s f -l force -d 'Those that run too: they are killed first'
complete -c creel -n "__fish_creel_using_subcommand rm" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c creel -n "__fish_creel_using_subcommand policy; and not __fish_seen_subcommand_from check show explain init schema trust help" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c creel -n "__fish_creel_using_subcommand policy; and not __fish_seen_subcommand_from check show explain init schema trust help" -f -a "check" -d 'Say whether a policy is valid'
complete -c creel -n "__fish_creel_using_subcommand policy; and not __fish_seen_subcommand_from check show explain init schema trust help" -f -a "show" -d 'Print the policy in force, and where each line comes from'
complete -c creel -n "__fish_creel_using_subcommand policy; and not __fish_seen_subcommand_from check show explain init schema trust help" -f -a "explain" -d 'Say in words what the policy lets a workload do, and what enforces it'
complete -c creel -n "__fish_creel_using_subcommand policy; and not __fish_seen_subcommand_from check show explain init schema trust help" -f -a "init" -d 'Write a creel.toml to start from, and trust it'
complete -c creel -n "__fish_creel_using_subcommand policy; and not __fish_seen_subcommand_from check show explain init schema trust help" -f -a "schema" -d 'Print the JSON Schema of policy files, for editors'
complete -c creel -n "__fish_creel_using_subcommand policy; and not __fish_seen_subcommand_from check show explain init schema trust help" -f -a "trust" -d 'Agree to a policy that lies in a project'
complete -c creel -n "__fish_creel_using_subcommand policy; and not __fish_seen_subcommand_from check show explain init schema trust help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c creel -n "__fish_creel_using_subcommand policy; and __fish_seen_subcommand_from check" -l policy -d 'The policy file [default: the creel.toml found from here upwards]' -r -F
complete -c creel -n "__fish_creel_using_subcommand policy; and __fish_seen_subcommand_from check" -l preset -d 'A policy that ships with creel: claude-code, codex, …; none for the bare defaults' -r
complete -c creel -n "__fish_creel_using_subcommand policy; and __fish_seen_subcommand_from check" -l set -d 'One key of the policy, such as limits.time=2h' -r
complete -c creel -n "__fish_creel_using_subcommand policy; and __fish_seen_subcommand_from check" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c creel -n "__fish_creel_using_subcommand policy; and __fish_seen_subcommand_from show" -l policy -d 'The policy file [default: the creel.toml found from here upwards]' -r -F
complete -c creel -n "__fish_creel_using_subcommand policy; and __fish_seen_subcommand_from show" -l preset -d 'A policy that ships with creel: claude-code, codex, …; none for the bare defaults' -r
complete -c creel -n "__fish_creel_using_subcommand policy; and __fish_seen_subcommand_from show" -l set -d 'One key of the policy, such as limits.time=2h' -r
complete -c creel -n "__fish_creel_using_subcommand policy; and __fish_seen_subcommand_from show" -l json -d 'Print it as JSON, as its hash is made from'
complete -c creel -n "__fish_creel_using_subcommand policy; and __fish_seen_subcommand_from show" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c creel -n "__fish_creel_using_subcommand policy; and __fish_seen_subcommand_from explain" -l policy -d 'The policy file [default: the creel.toml found from here upwards]' -r -F
complete -c creel -n "__fish_creel_using_subcommand policy; and __fish_seen_subcommand_from explain" -l preset -d 'A policy that ships with creel: claude-code, codex, …; none for the bare defaults' -r
complete -c creel -n "__fish_creel_using_subcommand policy; and __fish_seen_subcommand_from explain" -l set -d 'One key of the policy, such as limits.time=2h' -r
complete -c creel -n "__fish_creel_using_subcommand policy; and __fish_seen_subcommand_from explain" -l json -d 'Print JSON'
complete -c creel -n "__fish_creel_using_subcommand policy; and __fish_seen_subcommand_from explain" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c creel -n "__fish_creel_using_subcommand policy; and __fish_seen_subcommand_from init" -l preset -d 'The preset that it goes on from' -r
complete -c creel -n "__fish_creel_using_subcommand policy; and __fish_seen_subcommand_from init" -l force -d 'Replace a file that is there'
complete -c creel -n "__fish_creel_using_subcommand policy; and __fish_seen_subcommand_from init" -s h -l help -d 'Print help'
complete -c creel -n "__fish_creel_using_subcommand policy; and __fish_seen_subcommand_from schema" -s h -l help -d 'Print help'
complete -c creel -n "__fish_creel_using_subcommand policy; and __fish_seen_subcommand_from trust" -l revoke -d 'Trust it no more'
complete -c creel -n "__fish_creel_using_subcommand policy; and __fish_seen_subcommand_from trust" -l list -d 'Print the files that are trusted'
complete -c creel -n "__fish_creel_using_subcommand policy; and __fish_seen_subcommand_from trust" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c creel -n "__fish_creel_using_subcommand policy; and __fish_seen_subcommand_from help" -f -a "check" -d 'Say whether a policy is valid'
complete -c creel -n "__fish_creel_using_subcommand policy; and __fish_seen_subcommand_from help" -f -a "show" -d 'Print the policy in force, and where each line comes from'
complete -c creel -n "__fish_creel_using_subcommand policy; and __fish_seen_subcommand_from help" -f -a "explain" -d 'Say in words what the policy lets a workload do, and what enforces it'
complete -c creel -n "__fish_creel_using_subcommand policy; and __fish_seen_subcommand_from help" -f -a "init" -d 'Write a creel.toml to start from, and trust it'
complete -c creel -n "__fish_creel_using_subcommand policy; and __fish_seen_subcommand_from help" -f -a "schema" -d 'Print the JSON Schema of policy files, for editors'
complete -c creel -n "__fish_creel_using_subcommand policy; and __fish_seen_subcommand_from help" -f -a "trust" -d 'Agree to a policy that lies in a project'
complete -c creel -n "__fish_creel_using_subcommand policy; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c creel -n "__fish_creel_using_subcommand rules; and not __fish_seen_subcommand_from list show test help" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c creel -n "__fish_creel_using_subcommand rules; and not __fish_seen_subcommand_from list show test help" -f -a "list" -d 'List the catalogue\'s rules'
complete -c creel -n "__fish_creel_using_subcommand rules; and not __fish_seen_subcommand_from list show test help" -f -a "show" -d 'Show one rule of the catalogue, with commands that it is about and near-misses'
complete -c creel -n "__fish_creel_using_subcommand rules; and not __fish_seen_subcommand_from list show test help" -f -a "test" -d 'Say what would become of a command, without running it'
complete -c creel -n "__fish_creel_using_subcommand rules; and not __fish_seen_subcommand_from list show test help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c creel -n "__fish_creel_using_subcommand rules; and __fish_seen_subcommand_from list" -l category -d 'Only the rules of this category' -r
complete -c creel -n "__fish_creel_using_subcommand rules; and __fish_seen_subcommand_from list" -l json -d 'Print JSON, a rule a line'
complete -c creel -n "__fish_creel_using_subcommand rules; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help'
complete -c creel -n "__fish_creel_using_subcommand rules; and __fish_seen_subcommand_from show" -l json -d 'Print JSON'
complete -c creel -n "__fish_creel_using_subcommand rules; and __fish_seen_subcommand_from show" -s h -l help -d 'Print help'
complete -c creel -n "__fish_creel_using_subcommand rules; and __fish_seen_subcommand_from test" -l shell -d 'Shell text, as after sh -c' -r
complete -c creel -n "__fish_creel_using_subcommand rules; and __fish_seen_subcommand_from test" -s f -l file -d 'A shell script' -r -F
complete -c creel -n "__fish_creel_using_subcommand rules; and __fish_seen_subcommand_from test" -l jsonl -d 'Lines of JSON, each with a cmd of shell text, or an argv of words that is judged as it would be run; each is answered by a line (-: read standard input)' -r -F
complete -c creel -n "__fish_creel_using_subcommand rules; and __fish_seen_subcommand_from test" -l policy -d 'The policy file [default: the creel.toml found from here upwards]' -r -F
complete -c creel -n "__fish_creel_using_subcommand rules; and __fish_seen_subcommand_from test" -l preset -d 'A policy that ships with creel: claude-code, codex, …; none for the bare defaults' -r
complete -c creel -n "__fish_creel_using_subcommand rules; and __fish_seen_subcommand_from test" -l set -d 'One key of the policy, such as limits.time=2h' -r
complete -c creel -n "__fish_creel_using_subcommand rules; and __fish_seen_subcommand_from test" -l json -d 'Print JSON'
complete -c creel -n "__fish_creel_using_subcommand rules; and __fish_seen_subcommand_from test" -l time -d 'With --jsonl: add how long each judgement took, in microseconds'
complete -c creel -n "__fish_creel_using_subcommand rules; and __fish_seen_subcommand_from test" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c creel -n "__fish_creel_using_subcommand rules; and __fish_seen_subcommand_from help" -f -a "list" -d 'List the catalogue\'s rules'
complete -c creel -n "__fish_creel_using_subcommand rules; and __fish_seen_subcommand_from help" -f -a "show" -d 'Show one rule of the catalogue, with commands that it is about and near-misses'
complete -c creel -n "__fish_creel_using_subcommand rules; and __fish_seen_subcommand_from help" -f -a "test" -d 'Say what would become of a command, without running it'
complete -c creel -n "__fish_creel_using_subcommand rules; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c creel -n "__fish_creel_using_subcommand audit; and not __fish_seen_subcommand_from verify help" -l sandbox -d 'Of these sandboxes' -r
complete -c creel -n "__fish_creel_using_subcommand audit; and not __fish_seen_subcommand_from verify help" -l run -d 'Of one run, by its id' -r
complete -c creel -n "__fish_creel_using_subcommand audit; and not __fish_seen_subcommand_from verify help" -l kind -d 'Of these kinds: exec, run.start, run.end, gap' -r
complete -c creel -n "__fish_creel_using_subcommand audit; and not __fish_seen_subcommand_from verify help" -l verdict -d 'With these verdicts: allow, deny, observed' -r
complete -c creel -n "__fish_creel_using_subcommand audit; and not __fish_seen_subcommand_from verify help" -l since -d 'From then on: a time, or how long ago (90s, 2h, 7d)' -r
complete -c creel -n "__fish_creel_using_subcommand audit; and not __fish_seen_subcommand_from verify help" -l until -d 'Before then' -r
complete -c creel -n "__fish_creel_using_subcommand audit; and not __fish_seen_subcommand_from verify help" -l rule -d 'Whose rule has this id' -r
complete -c creel -n "__fish_creel_using_subcommand audit; and not __fish_seen_subcommand_from verify help" -l grep -d 'Whose command or program holds this text' -r
complete -c creel -n "__fish_creel_using_subcommand audit; and not __fish_seen_subcommand_from verify help" -s n -l tail -d 'The last records alone' -r
complete -c creel -n "__fish_creel_using_subcommand audit; and not __fish_seen_subcommand_from verify help" -s f -l follow -d 'Go on with new records as they come'
complete -c creel -n "__fish_creel_using_subcommand audit; and not __fish_seen_subcommand_from verify help" -l summary -d 'One paragraph a run instead of its records'
complete -c creel -n "__fish_creel_using_subcommand audit; and not __fish_seen_subcommand_from verify help" -l json -d 'The lines as the log has them; with --summary, one object a run'
complete -c creel -n "__fish_creel_using_subcommand audit; and not __fish_seen_subcommand_from verify help" -l no-trunc -d 'Do not shorten commands'
complete -c creel -n "__fish_creel_using_subcommand audit; and not __fish_seen_subcommand_from verify help" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c creel -n "__fish_creel_using_subcommand audit; and not __fish_seen_subcommand_from verify help" -f -a "verify" -d 'Check that no line of a log was changed, removed, added or moved'
complete -c creel -n "__fish_creel_using_subcommand audit; and not __fish_seen_subcommand_from verify help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c creel -n "__fish_creel_using_subcommand audit; and __fish_seen_subcommand_from verify" -l json -d 'One JSON object a log'
complete -c creel -n "__fish_creel_using_subcommand audit; and __fish_seen_subcommand_from verify" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c creel -n "__fish_creel_using_subcommand audit; and __fish_seen_subcommand_from help" -f -a "verify" -d 'Check that no line of a log was changed, removed, added or moved'
complete -c creel -n "__fish_creel_using_subcommand audit; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c creel -n "__fish_creel_using_subcommand doctor" -l policy -d 'The policy file [default: the creel.toml found from here upwards]' -r -F
complete -c creel -n "__fish_creel_using_subcommand doctor" -l preset -d 'A policy that ships with creel: claude-code, codex, …; none for the bare defaults' -r
complete -c creel -n "__fish_creel_using_subcommand doctor" -l set -d 'One key of the policy, such as limits.time=2h' -r
complete -c creel -n "__fish_creel_using_subcommand doctor" -l json -d 'Print JSON'
complete -c creel -n "__fish_creel_using_subcommand doctor" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c creel -n "__fish_creel_using_subcommand help; and not __fish_seen_subcommand_from run exec attach approve ps logs stop kill rm policy rules audit doctor help" -f -a "run" -d 'Run a command in a sandbox of its own'
complete -c creel -n "__fish_creel_using_subcommand help; and not __fish_seen_subcommand_from run exec attach approve ps logs stop kill rm policy rules audit doctor help" -f -a "exec" -d 'Run a further command in a running sandbox'
complete -c creel -n "__fish_creel_using_subcommand help; and not __fish_seen_subcommand_from run exec attach approve ps logs stop kill rm policy rules audit doctor help" -f -a "attach" -d 'Join your terminal to a running sandbox\'s'
complete -c creel -n "__fish_creel_using_subcommand help; and not __fish_seen_subcommand_from run exec attach approve ps logs stop kill rm policy rules audit doctor help" -f -a "approve" -d 'Answer what sandboxes ask, or list it'
complete -c creel -n "__fish_creel_using_subcommand help; and not __fish_seen_subcommand_from run exec attach approve ps logs stop kill rm policy rules audit doctor help" -f -a "ps" -d 'List sandboxes'
complete -c creel -n "__fish_creel_using_subcommand help; and not __fish_seen_subcommand_from run exec attach approve ps logs stop kill rm policy rules audit doctor help" -f -a "logs" -d 'Show what a sandbox\'s command printed'
complete -c creel -n "__fish_creel_using_subcommand help; and not __fish_seen_subcommand_from run exec attach approve ps logs stop kill rm policy rules audit doctor help" -f -a "stop" -d 'Stop running sandboxes'
complete -c creel -n "__fish_creel_using_subcommand help; and not __fish_seen_subcommand_from run exec attach approve ps logs stop kill rm policy rules audit doctor help" -f -a "kill" -d 'Send a signal to the command of running sandboxes'
complete -c creel -n "__fish_creel_using_subcommand help; and not __fish_seen_subcommand_from run exec attach approve ps logs stop kill rm policy rules audit doctor help" -f -a "rm" -d 'Remove sandboxes that have ended'
complete -c creel -n "__fish_creel_using_subcommand help; and not __fish_seen_subcommand_from run exec attach approve ps logs stop kill rm policy rules audit doctor help" -f -a "policy" -d 'See, check and trust policies'
complete -c creel -n "__fish_creel_using_subcommand help; and not __fish_seen_subcommand_from run exec attach approve ps logs stop kill rm policy rules audit doctor help" -f -a "rules" -d 'See the rules about dangerous commands, and try commands on them'
complete -c creel -n "__fish_creel_using_subcommand help; and not __fish_seen_subcommand_from run exec attach approve ps logs stop kill rm policy rules audit doctor help" -f -a "audit" -d 'Show what happened in sandboxes'
complete -c creel -n "__fish_creel_using_subcommand help; and not __fish_seen_subcommand_from run exec attach approve ps logs stop kill rm policy rules audit doctor help" -f -a "doctor" -d 'Say what enforces each line of the policy on this machine'
complete -c creel -n "__fish_creel_using_subcommand help; and not __fish_seen_subcommand_from run exec attach approve ps logs stop kill rm policy rules audit doctor help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c creel -n "__fish_creel_using_subcommand help; and __fish_seen_subcommand_from policy" -f -a "check" -d 'Say whether a policy is valid'
complete -c creel -n "__fish_creel_using_subcommand help; and __fish_seen_subcommand_from policy" -f -a "show" -d 'Print the policy in force, and where each line comes from'
complete -c creel -n "__fish_creel_using_subcommand help; and __fish_seen_subcommand_from policy" -f -a "explain" -d 'Say in words what the policy lets a workload do, and what enforces it'
complete -c creel -n "__fish_creel_using_subcommand help; and __fish_seen_subcommand_from policy" -f -a "init" -d 'Write a creel.toml to start from, and trust it'
complete -c creel -n "__fish_creel_using_subcommand help; and __fish_seen_subcommand_from policy" -f -a "schema" -d 'Print the JSON Schema of policy files, for editors'
complete -c creel -n "__fish_creel_using_subcommand help; and __fish_seen_subcommand_from policy" -f -a "trust" -d 'Agree to a policy that lies in a project'
complete -c creel -n "__fish_creel_using_subcommand help; and __fish_seen_subcommand_from rules" -f -a "list" -d 'List the catalogue\'s rules'
complete -c creel -n "__fish_creel_using_subcommand help; and __fish_seen_subcommand_from rules" -f -a "show" -d 'Show one rule of the catalogue, with commands that it is about and near-misses'
complete -c creel -n "__fish_creel_using_subcommand help; and __fish_seen_subcommand_from rules" -f -a "test" -d 'Say what would become of a command, without running it'
complete -c creel -n "__fish_creel_using_subcommand help; and __fish_seen_subcommand_from audit" -f -a "verify" -d 'Check that no line of a log was changed, removed, added or moved'
