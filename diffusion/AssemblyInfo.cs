using System.Runtime.CompilerServices;

[assembly: InternalsVisibleTo("Sdxl.Diffusion.Tests")]
