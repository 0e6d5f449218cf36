# Completion of ddsetup for PowerShell. In the file that $PROFILE names:
#   ddsetup completion powershell | Out-String | Invoke-Expression

Register-ArgumentCompleter -Native -CommandName ddsetup -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)
    $line = $commandAst.Extent.Text
    $length = $cursorPosition - $commandAst.Extent.StartOffset
    $line = if ($length -lt $line.Length) { $line.Substring(0, $length) } else { $line.PadRight($length) }
    $env:_DDSETUP_COMPLETE = 'powershell'
    $env:_DDSETUP_LINE = $line
    try {
        & $commandAst.CommandElements[0].Extent.Text 2>$null | ForEach-Object {
            $value, $told = $_ -split "`t", 2
            if ($value -notin ':files', ':directories') {
                $typed = if ($value -match '[^\w./:=@,+-]') { "'" + $value.Replace("'", "''") + "'" } else { $value }
                $told = if ($told) { $told } else { $value }
                [System.Management.Automation.CompletionResult]::new($typed, $value, 'ParameterValue', $told)
            }
        }
    }
    finally {
        Remove-Item Env:_DDSETUP_COMPLETE, Env:_DDSETUP_LINE
    }
}
