using System.Collections;

namespace SixLabors.ImageSharp;

/// <summary>An image's frames; there is always at least one.</summary>
public abstract class ImageFrameCollection : IDisposable, IEnumerable<ImageFrame>
{
    internal ImageFrameCollection()
    {
    }

    public abstract int Count { get; }

    public ImageFrame RootFrame => FrameAt(0);

    public ImageFrame this[int index] => FrameAt(index);

    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    IEnumerator<ImageFrame> IEnumerable<ImageFrame>.GetEnumerator()
    {
        for (var i = 0; i < Count; i++)
            yield return FrameAt(i);
    }

    IEnumerator IEnumerable.GetEnumerator() => ((IEnumerable<ImageFrame>)this).GetEnumerator();

    protected abstract void Dispose(bool disposing);

    private protected abstract ImageFrame FrameAt(int index);
}
