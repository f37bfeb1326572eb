using DurableTask.Core;
using Sdxl.Local.Functions.Durable;
using Sdxl.Local.Functions.Rpc;

namespace Sdxl.Local.Tests.Functions;

public sealed class FailureProtosTests
{
    [Fact]
    public void A_failure_keeps_its_type_words_stack_and_cause_on_its_way_to_the_worker_and_back()
    {
        var failure = new FailureDetails("T", "M", "S", new FailureDetails("I", "J", null, null, true), false);

        var back = failure.ToProto().ToFramework()!;

        Assert.Equal(("T", "M", "S", false), (back.ErrorType, back.ErrorMessage, back.StackTrace, back.IsNonRetriable));
        Assert.Equal(("I", "J", true), (back.InnerFailure!.ErrorType, back.InnerFailure.ErrorMessage, back.InnerFailure.IsNonRetriable));
    }

    [Fact]
    public void A_message_that_only_looks_like_a_packed_failure_stays_a_message()
    {
        var failure = FailureProtos.Of(new RpcException { Type = "T", Message = "{not json", StackTrace = "S" });

        Assert.Equal(("T", "{not json", "S"), (failure.ErrorType, failure.ErrorMessage, failure.StackTrace));
    }
}
