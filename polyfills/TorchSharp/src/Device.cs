namespace TorchSharp;

public enum DeviceType
{
    CPU = 0,
    CUDA = 1,
    MKLDNN = 2,
    OPENGL = 3,
    OPENCL = 4,
    IDEEP = 5,
    HIP = 6,
    FPGA = 7,
    MSNPU = 8,
    XLA = 9,
    MPS = 13,
    META = 14,
}

public static partial class torch
{
    /// <summary>Where a tensor lives; index -1 means the current one of its kind.</summary>
    public class Device
    {
        public DeviceType type { get; private set; } = DeviceType.CPU;

        public int index { get; private set; } = -1;

        public Device(string description)
        {
            var parts = description.Split(':');
            if (parts.Length > 2)
                return;
            type = Parse(parts[0]);
            if (parts.Length == 2)
                index = int.Parse(parts[1]);
        }

        public Device(string deviceType, int index = -1) => (type, this.index) = (Parse(deviceType), index);

        public Device(DeviceType deviceType, int index = -1) => (type, this.index) = (deviceType, index);

        public Device(int index) => (type, this.index) = (DeviceType.CUDA, index);

        public override string ToString() =>
            type == DeviceType.CPU ? "cpu" : index == -1 ? type.ToString().ToLowerInvariant() : $"{type.ToString().ToLowerInvariant()}:{index}";

        public static implicit operator Device(string description) => new(description);

        private static DeviceType Parse(string name) => (DeviceType)Enum.Parse(typeof(DeviceType), name.ToUpperInvariant());
    }

    private static Device? cudaDevice;

    public static Device CUDA => cudaDevice ??= InitializeDevice(new Device(DeviceType.CUDA, -1));

    public static readonly Device CPU = new(DeviceType.CPU, -1);

    public static readonly Device META = new(DeviceType.META, -1);

    public static Device device(string description) => InitializeDevice(new Device(description));

    public static Device device(string deviceType, int index = -1) => InitializeDevice(new Device(deviceType, index));

    public static Device device(DeviceType deviceType, int index = -1) => InitializeDevice(new Device(deviceType, index));

    public static Device device(int index) => new(DeviceType.CUDA, index);

    public static bool TryInitializeDeviceType(DeviceType deviceType) => deviceType switch
    {
        DeviceType.MPS => false,
        DeviceType.CUDA => Native.sx_cuda_is_available() != 0,
        _ => true,
    };

    public static void InitializeDeviceType(DeviceType deviceType)
    {
        if (deviceType == DeviceType.MPS)
            throw new InvalidOperationException("Torch device type 'MPS' is not available on this platform.");
        if (deviceType == DeviceType.CUDA && Native.sx_cuda_is_available() == 0)
            throw new InvalidOperationException($"Torch device type {deviceType} did not initialise on the current machine. Trace from LoadNativeBackend:\nThis libtorch sees no CUDA device.");
    }

    public static Device InitializeDevice(Device? device)
    {
        device ??= get_default_device();
        if (device.type != DeviceType.CPU)
            InitializeDeviceType(device.type);
        return device;
    }

    private static Device defaultDevice = new(DeviceType.CPU, -1);

    private static ScalarType defaultDtype = ScalarType.Float32;

    public static Device get_default_device() => defaultDevice;

    public static void set_default_device(Device device)
    {
        InitializeDeviceType(device.type);
        defaultDevice = device;
    }

    public static void set_default_device(string device) => set_default_device(new Device(device));

    public static ScalarType get_default_dtype() => defaultDtype;

    public static void set_default_dtype(ScalarType dtype) => defaultDtype = dtype;

    public static bool cuda_is_available() => cuda.is_available();

    public static partial class cuda
    {
        public static bool is_available() => Native.sx_cuda_is_available() != 0;

        public static bool is_cudnn_available() => Native.sx_cudnn_is_available() != 0;

        public static int device_count() => Native.sx_cuda_device_count();

        public static void manual_seed(long seed) => Check(Native.sx_cuda_manual_seed(seed));

        public static void manual_seed_all(long seed) => Check(Native.sx_cuda_manual_seed_all(seed));

        public static void synchronize(Device? device = null) => Check(Native.sx_cuda_synchronize(device?.index ?? -1));
    }

    public static partial class backends
    {
        public static partial class cuda
        {
            public static partial class matmul
            {
                public static bool allow_tf32
                {
                    get => Native.sx_allow_tf32(0) != 0;
                    set => Check(Native.sx_set_allow_tf32(0, value ? 1 : 0));
                }
            }
        }

        public static partial class cudnn
        {
            public static bool allow_tf32
            {
                get => Native.sx_allow_tf32(1) != 0;
                set => Check(Native.sx_set_allow_tf32(1, value ? 1 : 0));
            }
        }
    }

    public static int get_num_threads() => Native.sx_get_num_threads();

    public static void set_num_threads(int num) => Check(Native.sx_set_num_threads(num));

    public static int get_num_interop_threads() => Native.sx_get_num_interop_threads();

    public static void set_num_interop_threads(int num) => Check(Native.sx_set_num_interop_threads(num));
}
