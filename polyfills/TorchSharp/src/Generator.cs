namespace TorchSharp;

public static partial class torch
{
    /// <summary>A source of random numbers with its own state.</summary>
    public class Generator : IDisposable
    {
        public IntPtr Handle { get; private set; }

        public Device device { get; private set; }

        internal Generator(nint handle)
        {
            Handle = handle;
            device = CPU;
        }

        public Generator(ulong seed = 0, Device? device = null)
            : this(Native.sx_generator_new(seed, (int)(device?.type ?? DeviceType.CPU), device?.index ?? -1))
        {
            if (Handle == 0)
                CheckForErrors();
            this.device = device ?? CPU;
        }

        public static Generator Default => new(Native.sx_generator_default());

        public Tensor get_state() => Tensor.Wrap(Native.sx_generator_state(Handle), this);

        public void set_state(Tensor value)
        {
            Check(Native.sx_generator_set_state(Handle, value.Handle));
            GC.KeepAlive(value);
        }

        public Generator manual_seed(long seed)
        {
            Check(Native.sx_generator_seed(Handle, seed));
            return this;
        }

        public long seed()
        {
            var seed = DateTime.UtcNow.Ticks;
            manual_seed(seed);
            return seed;
        }

        public long initial_seed() => Native.sx_generator_initial_seed(Handle);

        protected virtual void Dispose(bool disposing)
        {
            if (Handle == 0)
                return;
            Native.sx_generator_free(Handle);
            Handle = 0;
        }

        ~Generator() => Dispose(false);

        public void Dispose()
        {
            Dispose(true);
            GC.SuppressFinalize(this);
        }
    }

    public static partial class random
    {
        public static long seed() => Generator.Default.seed();

        public static long initial_seed() => Generator.Default.initial_seed();

        /// <summary>Seeds every device's default generator.</summary>
        public static Generator manual_seed(long seed)
        {
            Check(Native.sx_manual_seed(seed));
            return Generator.Default;
        }

        public static Tensor get_rng_state() => Generator.Default.get_state();

        public static void set_rng_state(Tensor new_state) => Generator.Default.set_state(new_state);
    }

    public static long seed() => random.seed();

    public static Generator manual_seed(long seed) => random.manual_seed(seed);

    public static long initial_seed() => random.initial_seed();

    public static Tensor get_rng_state() => random.get_rng_state();

    public static void set_rng_state(Tensor new_state) => random.set_rng_state(new_state);
}
