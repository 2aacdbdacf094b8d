// CommandList: the verbs of the client, for the program to mount.

package import ArgumentParser

/// The subcommands that talk to a running Meridian or work on files alone, in the order in which help shows them.
package let clientCommands: [any ParsableCommand.Type] = [
    ApplyCommand.self, DiffCommand.self, PlanCommand.self, DriftCommand.self, ExportCommand.self, ValidateCommand.self,
    GetCommand.self, DescribeCommand.self,
    StatusCommand.self, TopCommand.self, EventsCommand.self, LogsCommand.self, RollbackCommand.self,
    RestartCommand.self, RebuildCommand.self, DeleteCommand.self, SyscallsCommand.self, TokenCommand.self,
    SealCommand.self, AuditCommand.self, BackupCommand.self, KubeconfigCommand.self,
    SchemaCommand.self,
    VersionCommand.self,
]
