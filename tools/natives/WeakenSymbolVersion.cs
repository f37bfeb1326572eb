#nullable enable
using System;
using System.IO;
using System.Text;
using Microsoft.Build.Framework;
using Microsoft.Build.Utilities;

/// <summary>
/// Copies a 64-bit little-endian ELF library and marks one symbol version that it needs as weak, so that the loader takes the library where
/// that version is missing. Right only if nothing calls the version's symbols. Source: "Symbol Versioning", Linux Standard Base Core 5.0,
/// section 10.7 (Elfxx_Verneed, Elfxx_Vernaux).
/// </summary>
public sealed class WeakenSymbolVersion : Task
{
    private const uint VersionNeeds = 0x6ffffffe; // SHT_GNU_verneed
    private const byte Weak = 2;                  // VER_FLG_WEAK

    [Required]
    public string Library { get; set; } = "";

    /// <summary>As in "GLIBCXX_3.4.32".</summary>
    [Required]
    public string Version { get; set; } = "";

    /// <summary>
    /// The system's library that may have the version. It has: nothing is copied, and a file "not-needed" beside <see cref="Output"/> says
    /// so.
    /// </summary>
    [Required]
    public string SystemLibrary { get; set; } = "";

    [Required]
    public string Output { get; set; } = "";

    public override bool Execute()
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Output)!);
        if (Encoding.ASCII.GetString(File.ReadAllBytes(SystemLibrary)).Contains(Version + "\0"))
        {
            File.WriteAllText(Path.Combine(Path.GetDirectoryName(Output)!, "not-needed"), SystemLibrary + " has " + Version + "\n");
            return true;
        }
        var elf = File.ReadAllBytes(Library);
        if (elf.Length < 64 || BitConverter.ToUInt32(elf, 0) != 0x464c457f || elf[4] != 2 || elf[5] != 1)
        {
            Log.LogError("{0} is no 64-bit little-endian ELF library, so its need of {1} cannot be made weak.", Library, Version);
            return false;
        }
        if (!TryWeaken(elf))
        {
            Log.LogError(
                "{0} needs no symbol version {1}; tools/natives/Natives.targets asks for something that this version of TorchSharp no "
                    + "longer has.",
                Library,
                Version
            );
            return false;
        }
        // Projects that are built at the same time write the same bytes: beside it, then one rename.
        var beside = Output + "." + Guid.NewGuid().ToString("N");
        File.WriteAllBytes(beside, elf);
        try
        {
            File.Move(beside, Output);
            Log.LogMessage(
                MessageImportance.High,
                "{0} lacks {1}: a copy of TorchSharp's native library that does without is used ({2}).",
                SystemLibrary,
                Version,
                Output
            );
        }
        catch (IOException) when (File.Exists(Output))
        {
            File.Delete(beside);
        }
        return true;
    }

    private bool TryWeaken(byte[] elf)
    {
        var sections = (long)BitConverter.ToUInt64(elf, 0x28); // e_shoff
        int entrySize = BitConverter.ToUInt16(elf, 0x3a), count = BitConverter.ToUInt16(elf, 0x3c);
        for (var section = 0; section < count; section++)
        {
            var header = (int)(sections + section * entrySize);
            if (BitConverter.ToUInt32(elf, header + 4) != VersionNeeds)
                continue;
            // Sh_link's sh_offset
            var strings = (int)BitConverter.ToUInt64(elf, (int)(sections + BitConverter.ToUInt32(elf, header + 40) * entrySize) + 24);
            for (int need = (int)BitConverter.ToUInt64(elf, header + 24), next = -1; next != 0; need += next)
            {
                var entry = need + (int)BitConverter.ToUInt32(elf, need + 8); // vn_aux
                for (var left = BitConverter.ToUInt16(elf, need + 2); left > 0; left--) // vn_cnt
                {
                    if (NameAt(elf, strings + (int)BitConverter.ToUInt32(elf, entry + 8)) == Version) // vna_name
                    {
                        elf[entry + 4] |= Weak; // vna_flags
                        return true;
                    }
                    entry += (int)BitConverter.ToUInt32(elf, entry + 12); // vna_next
                }
                next = (int)BitConverter.ToUInt32(elf, need + 12); // vn_next
            }
        }
        return false;
    }

    private static string NameAt(byte[] elf, int start) => Encoding.ASCII.GetString(elf, start, Array.IndexOf(elf, (byte)0, start) - start);
}
